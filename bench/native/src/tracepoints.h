/* The tracepoints of the LTTng-UST peer. LTTng's headers read this file several times. */
#undef LTTNG_UST_TRACEPOINT_PROVIDER
#define LTTNG_UST_TRACEPOINT_PROVIDER ringlog_bench

#undef LTTNG_UST_TRACEPOINT_INCLUDE
#define LTTNG_UST_TRACEPOINT_INCLUDE "tracepoints.h"

#if !defined(RINGLOG_TRACEPOINTS_H) || defined(LTTNG_UST_TRACEPOINT_HEADER_MULTI_READ)
#define RINGLOG_TRACEPOINTS_H

#include <lttng/tracepoint.h>

/* A text whose length is known. */
LTTNG_UST_TRACEPOINT_EVENT(
	ringlog_bench, message,
	LTTNG_UST_TP_ARGS(const char *, text, size_t, length),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_sequence_text(char, text, text, size_t, length)))

/* A message with three attributes. */
LTTNG_UST_TRACEPOINT_EVENT(
	ringlog_bench, fields,
	LTTNG_UST_TP_ARGS(const char *, text, int, trial, double, price, const char *, symbol),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_string(text, text)
		lttng_ust_field_integer(int, trial, trial)
		lttng_ust_field_float(double, price, price)
		lttng_ust_field_string(symbol, symbol)))

#endif

#include <lttng/tracepoint-event.h>
