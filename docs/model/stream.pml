/* How the reader follows the lane: its stream, from one look to the lines of a batch. It
 * looks at its own words of the lane's entry in no step of their own: nobody else stores
 * there. */

/* What calls for a look at the lane. */
#define NOTHING_LEFT \
	(lanState == FREE || lanState == CLOSED && lanProducer == (lanConsumer | CLOSED_BIT) && lanLost == lanLostSeen)
#define READY \
	(final || !follows && !NOTHING_LEFT || follows && lanState != FREE && \
		(lanState == CLOSED || lanGeneration != generation || POSITION(lanProducer) != end || laneLock == 0 || \
		 pos < end && FITS_WHOLE(stamp[OFFSET(pos)], pos)))
#define READABLE(from, to) ((from) <= (to) && (to) <= (from) + UNITS)
/* The size in units, word read, of a record at a position can be one. */
#define POSSIBLE(units, at) ((units) >= 1 && (units) <= 2 && OFFSET(at) + (units) <= UNITS && (at) + (units) <= end)
#define SHOWN (pos == lanConsumer && seen == lanLostSeen && delivered == lanDelivered && torn == lanTorn)

/* What has no meaning any more, so that states which differ in nothing else are one. */
#define FORGET_STREAM \
	follows = false; final = false; isDead = false; generation = 0; owner = 0; pos = 0; end = 0; seen = 0; delivered = 0; torn = 0
#define STOP_LOOKING x = 0; y = 0; state = 0; goto idle

inline put(line)
{
	lines[count] = line; count++
}

/* Brings the stream up to date with the lane: a new owner, a new end, the owner's death.
 * C2, C3; refresh, follow and reap in package reader. */
inline refresh()
{
	if
	:: final -> goto read
	:: else
	fi;
	atomic {
		state = lanState;
		if
		:: state == FREE -> state = 0; goto idle
		:: else
		fi
	};
	atomic {
		x = lanGeneration;
		if
		:: follows && x == generation -> goto known
		:: else -> follows = false; generation = x
		fi
	};
	/* A stream for a new owner, unless nothing is left of him. */
	x = lanProducer;
	atomic {
		assert(lanCheck == CHECK(lanConsumer, lanLostSeen, lanDelivered, lanTorn));
		if
		:: state == CLOSED && x == (lanConsumer | CLOSED_BIT) && lanLost == lanLostSeen -> STOP_LOOKING
		:: else
		fi
	};
#ifndef MUTANT_IDENTITY_OF_A_CLAIM_IN_PROGRESS
	/* Loaded behind the generation: then the identity of that generation was whole before. */
	atomic { if :: lanState != state -> STOP_LOOKING :: else fi };
#endif
	owner = lanOwner;
	atomic { if :: lanState != state -> STOP_LOOKING :: else fi };
	atomic {
		if
		:: lanGeneration != generation -> STOP_LOOKING
		:: else ->
			follows = true; end = 0; pos = lanConsumer;
			seen = lanLostSeen; delivered = lanDelivered; torn = lanTorn
		fi
	};
known:
	x = lanProducer;
	y = lanLost;
#ifndef MUTANT_GENERATION_NOT_LOOKED_AT_AGAIN
	atomic { if :: lanGeneration != generation -> STOP_LOOKING :: else fi };
#endif
	atomic {
		if
		:: (x & CLOSED_BIT) && state == CLOSED ->
			if
			:: pos == POSITION(x) && seen == y -> FORGET_STREAM; STOP_LOOKING
			:: else -> final = true; end = POSITION(x); assert(READABLE(pos, end))
			fi
		:: else ->
			assert(state == OWNED && READABLE(pos, POSITION(x)));
			if
			:: true -> y = true                       /* its lock is tried now and then */
			:: end != POSITION(x) -> y = false
			fi;
			end = POSITION(x)
		fi;
		x = 0
	};
	if
	:: !final && y -> reap()
	:: else
	fi;
read:
	state = 0; y = 0
}

/* O2: with the lock in hand, a lane that is still owned is a dead owner's. */
inline reap()
{
#ifdef MUTANT_REAP_WITHOUT_LOCK
	bury()                                       /* it was quiet for so long */
#else
	if
	:: laneLock != 0
	:: atomic { laneLock == 0 -> laneLock = READER };
#ifdef MUTANT_REAP_WITHOUT_SECOND_LOOK
		bury()
#else
		if
		:: lanState != OWNED -> unlock(READER)
		:: else ->
			if
			:: lanGeneration != generation -> unlock(READER)
			:: else -> bury()
			fi
		fi
#endif
	fi
#endif
}

inline bury()
{
	atomic {
		isDead = true; final = true;
#ifndef MUTANT_END_NOT_READ_AGAIN
		end = POSITION(lanProducer);         /* C3 */
#endif
		assert(READABLE(pos, end))
	}
}

#ifdef MUTANT_SCAN_WHILE_OWNED
#define IN_GAP true
#else
#define IN_GAP final
#endif
/* Reads up to BATCH records, and decides at any of them that the batch is full. */
inline collect()
{
	do
	:: pos == end || count >= BATCH -> break
	:: count > 0 -> break
	:: pos < end && count < BATCH ->
		x = stamp[OFFSET(pos)];
		if
		:: FITS(x, pos, PADDING) ->
			atomic {
				assert(OFFSET(pos) != 0 && pos + TO_END(pos) <= end);
				pos = pos + TO_END(pos)
			}
		:: !FITS(x, pos, PADDING) && FITS_WHOLE(x, pos) -> take()
		:: !FITS_WHOLE(x, pos) && IN_GAP -> gap()
		:: !FITS_WHOLE(x, pos) && !IN_GAP -> break      /* not yet */
		fi;
		x = 0
	od;
	x = 0
}

inline take()
{
	atomic { units = size[OFFSET(pos)]; kind = units & OWNER_KIND; units = units & 3 };
	atomic { assert(POSSIBLE(units, pos)); a = half1[OFFSET(pos)] };
	atomic {
		b = half2[OFFSET(pos + units - 1)];
		if
		:: kind -> assert(a == b && a == IDS + owner)
		:: else ->
			assert(WHOLE(pos, units, a, b) && WORKER_OF(GOROUTINE_OF(a)) == owner);
			if
			:: FITS(x, pos, COMMITTED) -> put(a); delivered++
			:: else
			fi
		fi;
		pos = pos + units;
		units = 0; kind = 0; a = 0; b = 0
	}
}

/* C3: what nobody will finish any more. */
inline gap()
{
	a = pos + 1;
	if
	:: FITS(x, pos, CLAIMED) ->
		atomic { units = size[OFFSET(pos)] & 3 };
		if
		:: POSSIBLE(units, pos) && (pos + units == end || FITS_ANY(stamp[OFFSET(pos + units)], pos + units)) ->
			a = pos + units; goto found
		:: else
		fi
	:: else
	fi;
	do
	:: a < end && !FITS(stamp[OFFSET(a)], a, COMMITTED) && !FITS(stamp[OFFSET(a)], a, ABORTED) -> a++
	:: else -> break
	od;
found:
	atomic { put(TORN_LINE); torn++; pos = a; a = 0; units = 0 }
}

/* What belongs at a final lane's end: losses, and the end of a dead owner. */
inline finish()
{
	if
	:: final && pos == end ->
		/* Whole records there: their owner moved the position after he wrote them (W1). */
		assert(!FITS(stamp[OFFSET(end)], end, COMMITTED) && !FITS(stamp[OFFSET(end)], end, ABORTED));
		atomic {
			y = lanLost;
			do
			:: seen < y -> put(LOST_LINE); seen++
			:: else -> break
			od;
			y = 0;
			if
			:: isDead -> put(VANISHED_LINE(owner))
			:: else
			fi
		}
	:: else
	fi
}
