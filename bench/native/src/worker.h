/* A worker of the benchmark: reads orders from standard input, logs, and answers on
 * standard output. What it logs with is the program's that includes this file.
 *
 *   burst START N          begins at START (CLOCK_REALTIME, ns), N calls one after the other
 *                          took NS LOST
 *   paced START N EVERY    call i is due at START + i * EVERY
 *                          took NS LOST, lines VALUE_NS COUNT, end
 *   flush                  what was logged is with whoever writes it
 *                          flushed NS
 *
 * It is C that is also C++. */
#ifndef RINGLOG_WORKER_H
#define RINGLOG_WORKER_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static inline int64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t); /* by the vDSO, no system call */
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Counts of latencies by value: exact below 1000 ns, rounded up to three significant
 * digits above. One step of ten has 900 values, so that the bucket after the last of
 * one step is the first of the next. */
enum { exact = 1000, per_step = 900, steps = 16 };

struct histogram {
	int64_t count[exact + per_step * steps + 1];
};

static inline void note(struct histogram *h, int64_t ns)
{
	int64_t bucket = ns < 0 ? 0 : ns; /* the clock was set back meanwhile */
	if (bucket >= exact) {
		int64_t unit = 10, step = 0;
		while (step < steps - 1 && ns >= unit * exact) {
			unit *= 10;
			step++;
		}
		bucket = exact + step * per_step + ((ns + unit - 1) / unit - exact / 10);
	}
	h->count[bucket]++;
}

static void print_histogram(const struct histogram *h)
{
	for (int64_t i = 0; i < exact; i++)
		if (h->count[i])
			printf("%" PRId64 " %" PRId64 "\n", i, h->count[i]);
	int64_t unit = 10;
	for (int64_t i = exact; i <= exact + per_step * steps; i++) {
		int64_t in_step = (i - exact) % per_step;
		if (i > exact && in_step == 0)
			unit *= 10;
		if (h->count[i])
			printf("%" PRId64 " %" PRId64 "\n", (in_step + exact / 10) * unit, h->count[i]);
	}
}

typedef void log_call(int64_t i);

/* Both loops are compiled into each user of them, so that the call costs what it costs
 * where it stands in a program, not what a pointer to a function costs. */
#define INLINED static inline __attribute__((always_inline))

INLINED int64_t burst(log_call *call, int64_t start, int64_t n)
{
	int64_t begin;
	do
		begin = now_ns();
	while (begin < start);
	for (int64_t i = 0; i < n; i++)
		call(i);
	return now_ns() - begin;
}

INLINED int64_t paced(log_call *call, int64_t start, int64_t n, int64_t every, struct histogram *h)
{
	int64_t now = now_ns();
	for (int64_t i = 0; i < n; i++) {
		int64_t due = start + i * every;
		while (now < due)
			now = now_ns();
		if (every == 0)
			due = now; /* as fast as it goes: due when the one before has returned */
		call(i);
		now = now_ns(); /* also tells whether the next one is due */
		note(h, now - due); /* from when it was due: a late call is a slow one */
	}
	return now - start;
}

/* What a program logs with. */
struct logger {
	int64_t (*burst)(int64_t start, int64_t n);
	int64_t (*paced)(int64_t start, int64_t n, int64_t every, struct histogram *h);
	void (*flush)(void);
	int64_t (*lost)(void); /* records, since the program began */
};

/* Defines the loops burst_CALL and paced_CALL. */
#define LOOPS(call)                                                                              \
	static int64_t burst_##call(int64_t start, int64_t n) { return burst(call, start, n); }  \
	static int64_t paced_##call(int64_t start, int64_t n, int64_t every, struct histogram *h) \
	{                                                                                         \
		return paced(call, start, n, every, h);                                           \
	}

/* The records, as the other peers of the benchmark have them. */
static const char text[] = "2026-11-23 18:47:01,123 - trades - INFO - "
			      "filled order 4711 at 101.25 for study 17, trial 3, wrkr 12";
#define FIELDS_TEXT "order filled at the limit"
#define PRICE 101.25
#define SYMBOL "SPX"

/* Serves until the end of the orders and returns what main is to return. */
static int serve(const struct logger *l)
{
	static struct histogram h;
	char line[128];
	int64_t lost = l->lost();

	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	puts("ready");
	fflush(stdout);
	while (fgets(line, sizeof line, stdin)) {
		int64_t start, n, every, took, after;
		int end = 0;
		if (sscanf(line, "burst %" SCNd64 " %" SCNd64 " %n", &start, &n, &end) == 2 && end && !line[end] && n >= 0) {
			took = l->burst(start, n);
			after = l->lost();
			printf("took %" PRId64 " %" PRId64 "\n", took, after - lost);
			lost = after;
		} else if (sscanf(line, "paced %" SCNd64 " %" SCNd64 " %" SCNd64 " %n", &start, &n, &every, &end) == 3 && end &&
			   !line[end] && n >= 0 && every >= 0) {
			memset(&h, 0, sizeof h); /* touches its pages, too */
			took = l->paced(start, n, every, &h);
			after = l->lost();
			printf("took %" PRId64 " %" PRId64 "\n", took, after - lost);
			lost = after;
			print_histogram(&h);
			puts("end");
		} else if (strcmp(line, "flush\n") == 0) {
			int64_t begin = now_ns();
			l->flush();
			printf("flushed %" PRId64 "\n", now_ns() - begin);
		} else {
			line[strcspn(line, "\n")] = 0;
			fprintf(stderr, "order \"%s\": want burst START N, paced START N EVERY or flush\n", line);
			return 2;
		}
		fflush(stdout);
	}
	return 0;
}

#endif
