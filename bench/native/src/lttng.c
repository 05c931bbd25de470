/* The LTTng-UST peer: lttng RECORD, which is message or fields. The session that records
 * its tracepoints exists before it starts. */
#define LTTNG_UST_TRACEPOINT_CREATE_PROBES
#define LTTNG_UST_TRACEPOINT_DEFINE
#include "tracepoints.h"

#include "worker.h"

static void log_message(int64_t i)
{
	(void)i;
	lttng_ust_tracepoint(ringlog_bench, message, text, sizeof text - 1);
}

static void log_fields(int64_t i)
{
	lttng_ust_tracepoint(ringlog_bench, fields, FIELDS_TEXT, (int)i, PRICE, SYMBOL);
}

LOOPS(log_message)
LOOPS(log_fields)

/* The consumer maps the same memory, so that a record is with it when the call returns. */
static void nothing_to_flush(void) {}

/* The tracer counts discarded records in buffers that all processes share and tells the
 * session daemon, not the program. */
static int64_t known_to_the_session(void) { return 0; }

/* A tracepoint that nobody records does nothing: its figures would be very good. */
static int wait_until_recorded(int fields)
{
	const struct timespec ms = {0, 1000000};
	for (int i = 0; i < 10000; i++) {
		if (fields ? lttng_ust_tracepoint_enabled(ringlog_bench, fields)
			   : lttng_ust_tracepoint_enabled(ringlog_bench, message))
			return 1;
		nanosleep(&ms, NULL);
	}
	return 0;
}

int main(int argc, char **argv)
{
	int fields = argc == 2 && strcmp(argv[1], "fields") == 0;
	struct logger l = {burst_log_message, paced_log_message, nothing_to_flush, known_to_the_session};

	if (!fields && (argc != 2 || strcmp(argv[1], "message") != 0)) {
		fprintf(stderr, "usage: lttng message|fields\n");
		return 2;
	}
	if (fields) {
		l.burst = burst_log_fields;
		l.paced = paced_log_fields;
	}
	if (!wait_until_recorded(fields)) {
		fprintf(stderr, "no session records ringlog_bench:%s after 10 s\n", argv[1]);
		return 1;
	}
	return serve(&l);
}
