/* The shared words of one lane, the intent and the output file; what dies with a
 * process; and ghosts, which nobody in the model acts upon: they are there to be
 * asserted.
 *
 * Every access to a shared word is a step of its own. An atomic or d_step holds one
 * access (or one instruction, such as compare-and-swap) and what follows from it
 * inside the process that made it. Bookkeeping of ghosts costs no step.
 *
 * A position counts units, not bytes. A unit is the smallest record: four words,
 * the stamp, the length and two halves of a payload. A record takes one unit or two;
 * the second half of its payload lies in its last unit. */

#ifndef UNITS
#define UNITS 4         /* size of the lane; a record of two with its padding fits */
#endif
#ifndef RECORDS
#define RECORDS 2       /* that each goroutine appends */
#endif
#ifndef WORKERS
#define WORKERS 1       /* processes that claim the lane, one after the other */
#endif
#ifndef GOROUTINES
#define GOROUTINES 1    /* of worker 0; the others have one */
#endif
#ifndef BATCH
#define BATCH 2         /* records in one batch of the drain, at most */
#endif
#ifndef WORKER_KILLS
#define WORKER_KILLS 0
#endif
#ifndef READER_KILLS
#define READER_KILLS 0
#endif
#ifndef SPARE
#define SPARE 0         /* looks of the reader when nothing calls for one */
#endif

#define ALL   (WORKERS + GOROUTINES - 1)  /* goroutines of all workers */
#define IDS   (ALL * RECORDS + 1)         /* record ids begin at 1 */
#define LINES (IDS + 2 * WORKERS + ALL)   /* room in the output */

/* Words of the lane's memory. All begin as zero, which is nobody's stamp. */
byte stamp[UNITS];      /* position and state: see STAMP */
byte size[UNITS];       /* units, and the kind OWNER in one word, as in the format */
byte half1[UNITS];
byte half2[UNITS];

/* States of a stamp. */
#define CLAIMED   1
#define COMMITTED 2
#define ABORTED   3
#define PADDING   4
#define STAMP(pos, state) ((pos) * 8 + (state))
#define OFFSET(pos)       ((pos) % UNITS)
#define TO_END(pos)       (UNITS - OFFSET(pos))
/* A stamp fits if it is that position's own: an earlier lap's does not (W2). */
#ifdef MUTANT_STAMP_WITHOUT_POSITION
#define FITS(x, pos, state) ((x) % 8 == (state))
#else
#define FITS(x, pos, state) ((x) == STAMP(pos, state))
#endif
#define FITS_WHOLE(x, pos) (FITS(x, pos, COMMITTED) || FITS(x, pos, ABORTED) || FITS(x, pos, PADDING))
#define FITS_ANY(x, pos)   (FITS(x, pos, CLAIMED) || FITS_WHOLE(x, pos))
#define OWNER_KIND 4    /* added to the size in an owner record's length word */

/* Words of the lane's table entry, named as in the format. */
#define FREE   0
#define OWNED  1
#define CLOSED 2
byte lanState = FREE;
byte lanGeneration;
byte lanOwner;          /* the identity fields behind the generation */
byte lanProducer;       /* with CLOSED_BIT */
byte lanLost;           /* sum of the loss counters */
byte lanConsumer, lanLostSeen, lanDelivered, lanTorn;
short lanCheck;         /* of the four words above */
#define CLOSED_BIT 128
#define POSITION(p) ((p) & 127)
#define CHECK(consumer, seen, delivered, torn) \
	((consumer) + 32 * (seen) + 128 * (delivered) + 2048 * (torn))

/* The intent: one batch, all values absolute (D2). */
#define NONE     0
#define PREPARED 1
#define APPLIED  2
byte intState = NONE;
byte intBefore, intLength;                            /* of the output, in half lines */
byte intGeneration, intConsumer, intSeen, intDelivered, intTorn;
bit  intFree;                                         /* the lane's state afterwards is FREE */

/* The output: lines, each written in two steps. Half a line counts one. */
byte file[LINES];
byte fileSize;
#define TORN_LINE        (IDS)
#define LOST_LINE        (IDS + 1)
#define VANISHED_LINE(w) (IDS + 2 + (w))

/* The lane's lock dies with its holder (O1): 0 nobody, READER, or 2 + worker. */
#define READER 1
#define WORKER(w) (2 + (w))
byte laneLock;

/* Processes. */
bool dead[WORKERS];     /* killed: none of its goroutines makes another step */
bool readerDead;
byte dying;             /* killed and not yet gone: the rest of the world waits, to save states */
bool readerDone;
bool attached[WORKERS];
bool draining[WORKERS]; /* Close has begun (O5) */
bool shut[WORKERS];     /* Close has shut the slow paths (O5) */
byte slow[WORKERS];     /* goroutines on a slow path */
byte running[WORKERS];  /* goroutines that have neither ended nor died */
#if WORKERS == 1
#define ALL_ENDED (running[0] == 0)
#else
#define ALL_ENDED (running[0] == 0 && running[1] == 0)
#endif
byte workerKills = WORKER_KILLS;
byte readerKills = READER_KILLS;
byte spare = SPARE;

/* Ghosts. */
byte claimTop;          /* where the last claim ends */
byte safe;              /* below it everything is whole in the output for good */
byte claimed[IDS];      /* STAMP(position, units) of a record's claim */
byte fate[IDS];         /* what its append came to */
#define REFUSED  1
#define GIVEN_UP 2
#define ACCEPTED 3
bool vanished[WORKERS]; /* died while it owned the lane */

/* Goroutines 0 to GOROUTINES - 1 are worker 0's, each further one is a worker's own. */
#define WORKER_OF(goroutine) ((goroutine) < GOROUTINES -> 0 : (goroutine) - GOROUTINES + 1)
#define ID(goroutine, k)     ((goroutine) * RECORDS + (k) + 1)
#define GOROUTINE_OF(id)     (((id) - 1) / RECORDS)

/* Claims never overlap, nobody claims a lane that is not his, and no claim takes memory
 * of which something is not in the output for good. */
inline noteClaim(worker, id, from, to)
{
	assert(laneLock == WORKER(worker) && lanOwner == worker);
	assert(from >= claimTop);
	assert(to <= safe + UNITS);
	claimTop = to;
	claimed[id] = STAMP(from, to - from)
}

/* What bears a committed stamp is whole, and is what was claimed there. The reader of the
 * model has no checksum to fall back upon. */
#define WHOLE(pos, units, a, b) \
	((a) == (b) && (a) > 0 && (a) < IDS && claimed[a] == STAMP(pos, units))

/* When everybody has ended and all is drained: the promise, from the output alone. */
inline judge()
{
	d_step {
		byte i, j, n, top, told, gaps, lost, ends;
		assert(intState == NONE && fileSize % 2 == 0);
		assert(lanCheck == CHECK(lanConsumer, lanLostSeen, lanDelivered, lanTorn));
		assert(lanLost == lanLostSeen);
		told = fileSize / 2;
		i = 0; top = 0; gaps = 0; lost = 0; n = 0;
		do
		:: i < told ->
			if
			:: file[i] < IDS ->
				assert(claimed[file[i]] >= top);  /* in the order of claims */
				top = claimed[file[i]] + 1;       /* and so none of them twice */
				n++
			:: file[i] == TORN_LINE -> gaps++
			:: file[i] == LOST_LINE -> lost++
			:: else
			fi;
			i++
		:: else -> break
		od;
		assert(n == lanDelivered && gaps == lanTorn && lost == lanLost);
		assert(gaps == 0 || WORKER_KILLS > 0);
		i = 1;
		do
		:: i < IDS ->
			j = 0; n = 0;
			do
			:: j < told -> n = n + (file[j] == i); j++
			:: else -> break
			od;
			if
			:: fate[i] == ACCEPTED -> assert(n == 1)
			:: fate[i] == 0 && claimed[i] != 0 -> /* its goroutine was killed in mid-append */
				assert(n <= 1 && dead[WORKER_OF(GOROUTINE_OF(i))])
			:: else -> assert(n == 0)
			fi;
			i++
		:: else -> break
		od;
		i = 0;
		do
		:: i < WORKERS ->
			j = 0; n = 0; ends = 0;
			do
			:: j < told ->
				if
				:: file[j] == VANISHED_LINE(i) -> n++; ends = 1
				:: file[j] < IDS && WORKER_OF(GOROUTINE_OF(file[j])) == i ->
					assert(ends == 0)                 /* its end comes last */
				:: else
				fi;
				j++
			:: else -> break
			od;
			assert(n == vanished[i]);
			i++
		:: else -> break
		od;
		i = 0; j = 0; n = 0; top = 0; told = 0; gaps = 0; lost = 0; ends = 0
	}
}
