/* A worker process: its goroutines share the lane; the first one claims and closes it. */

/* O4, what a claimable lane looks like. FREE with an owner record ahead is what a
 * claimant leaves that died before it stored OWNED. */
#define CLAIMABLE(state, producer, consumer, lost, seen) \
	((state) == FREE && (POSITION(producer) == (consumer) || POSITION(producer) == (consumer) + 1) || \
	 (state) == CLOSED && DRAINED(producer, consumer, lost, seen))
#ifdef MUTANT_REUSE_UNDRAINED
#define DRAINED(producer, consumer, lost, seen) true
#elif defined(MUTANT_REUSE_BEFORE_LOSSES_ARE_TOLD)
#define DRAINED(producer, consumer, lost, seen) ((producer) == ((consumer) | CLOSED_BIT))
#else
#define DRAINED(producer, consumer, lost, seen) ((producer) == ((consumer) | CLOSED_BIT) && (lost) == (seen))
#endif
#define LOOKS_CLAIMABLE CLAIMABLE(lanState, lanProducer, lanConsumer, lanLost, lanLostSeen)

/* What has no meaning any more, so that states which differ in nothing else are one. */
#define FORGET_BUT_CONSUMER pos = 0; seen = 0; delivered = 0; torn = 0; state = 0
#define FORGET              consumer = 0; FORGET_BUT_CONSUMER

inline unlock(who)
{
	d_step { assert(laneLock == who || laneLock == 0); laneLock = 0 }
}

/* O4. The look without the lock may be long out of date when the lock is taken: so here
 * the first attempt comes at any time at all. Who was refused waits until it would be
 * worth while; a lane that never comes free is then a deadlock and not a busy loop. */
inline attach(me)
{
	tried = false;
look:
#ifdef MUTANT_CLAIM_WITHOUT_SECOND_LOOK
	LOOKS_CLAIMABLE;
	atomic { laneLock == 0 -> laneLock = WORKER(me) };
	consumer = lanConsumer;
#else
	atomic {                                      /* O4.2 */
		laneLock == 0 && (!tried || LOOKS_CLAIMABLE) -> laneLock = WORKER(me); tried = true
	};
	/* O4.4: once more, under the lock, a word at a time: a reader may be publishing. */
	pos = lanProducer;
	consumer = lanConsumer;
	seen = lanLostSeen;
	delivered = lanDelivered;
	torn = lanTorn;
	atomic {
		if
		:: lanCheck != CHECK(consumer, seen, delivered, torn) -> goto refused
		:: else
		fi
	};
	state = lanState;
	atomic {
		if
		:: !CLAIMABLE(state, pos, consumer, lanLost, seen) -> goto refused
		:: else
		fi
	};
	goto mine;
refused:
	atomic { unlock(WORKER(me)); FORGET; goto look };
mine:
#endif
	atomic { FORGET_BUT_CONSUMER; lanState = FREE }; /* O4.5: who dies from here on leaves a free lane */
	lanGeneration = lanGeneration + 1;               /* O4.8: before the rest, C2 leans on it */
	lanOwner = me;
#ifdef MUTANT_CLAIM_WITHOUT_MOVING
	d_step { lanProducer = consumer; claimTop = consumer };
#else
	d_step {                                         /* O4.9, O5: moves on and opens in one store */
		assert(laneLock == WORKER(me));
		assert(consumer == claimTop || consumer + 1 == claimTop);
		assert(consumer + 1 <= safe + UNITS);
		lanProducer = consumer + 1;
		claimTop = consumer + 1
	};
	size[OFFSET(consumer)] = 1 + OWNER_KIND;         /* O4.10 */
	stamp[OFFSET(consumer)] = STAMP(consumer, CLAIMED);
	half1[OFFSET(consumer)] = IDS + me;
	half2[OFFSET(consumer)] = IDS + me;
	stamp[OFFSET(consumer)] = STAMP(consumer, COMMITTED);
#endif
	atomic { lanState = OWNED; attached[me] = true; FORGET }  /* O4.11 */
}

#ifdef MUTANT_ONE_UNIT_TOO_MANY
#define ROOM (UNITS + 1)
#else
#define ROOM UNITS
#endif
#ifdef NO_NEXT_READER
#define WAITS_FOR_ROOM endNoReader:   /* then it may wait for ever, and nobody else may */
#else
#define WAITS_FOR_ROOM
#endif

/* W2. A record of one or two units. */
inline append(me, id)
{
#ifdef SIZES_ALTERNATE
	units = 1 + (id % 2);
#elif defined(LARGE)
	units = 1 + (id == LARGE);
#else
	if :: units = 1 :: units = 2 fi;
#endif
again:
	atomic {                                         /* W2.2 */
		pos = lanProducer;
		if
		:: pos & CLOSED_BIT -> fate[id] = REFUSED; goto done
		:: else -> start = (OFFSET(pos) + units > UNITS -> pos + TO_END(pos) : pos)  /* W2.3, W3 */
		fi
	};
#ifndef MUTANT_CLOSED_BIT_ALONE
	/* Behind the load: the closed bit goes when the lane gets its next owner (O5). */
	atomic { if :: draining[me] -> fate[id] = REFUSED; goto done :: else fi };
#endif
	atomic {                                         /* W2.4 */
		consumer = lanConsumer;
		if
		/* Behind the consumer position: pos is out of date. */
		:: start + units > consumer + ROOM || start + units < consumer -> goto noRoom
		:: else -> consumer = 0
		fi
	};
#ifdef MUTANT_POSITION_AFTER_BYTES
	size[OFFSET(start)] = units;
	half1[OFFSET(start)] = id;
	half2[OFFSET(start + units - 1)] = id;
	stamp[OFFSET(start)] = STAMP(start, COMMITTED);
#endif
#ifdef MUTANT_CLAIM_WITHOUT_COMPARING
	d_step { lanProducer = start + units; noteClaim(me, id, start, start + units) };
#else
	atomic {                                         /* W2.5, W1 */
		if
		:: lanProducer == pos -> lanProducer = start + units; noteClaim(me, id, start, start + units)
		:: else -> pos = 0; start = 0; goto again
		fi
	};
#endif
	goto write;

noRoom:
	atomic {                                         /* others have moved on meanwhile: not full */
		if
		:: lanProducer != pos -> pos = 0; start = 0; consumer = 0; goto again
		:: else
		fi
	};
#ifdef DROP
	atomic {                                         /* W5; the slow path keeps Close out (O5) */
		fate[id] = REFUSED;
		if
		:: shut[me] -> goto done
		:: else -> slow[me]++
		fi
	};
	d_step { lanLost = lanLost + 1; assert(laneLock == WORKER(me)) };
	atomic { slow[me]--; goto done };
#else
WAITS_FOR_ROOM	atomic { lanConsumer != consumer || (lanProducer & CLOSED_BIT) -> consumer = 0; goto again };  /* W7 */
#endif

write:
#ifndef MUTANT_NO_PADDING
	atomic {                                         /* W2.6 */
		if
		:: start != pos -> stamp[OFFSET(pos)] = STAMP(pos, PADDING)
		:: else
		fi;
		pos = 0
	};
#endif
#ifdef MUTANT_STAMP_BEFORE_LENGTH
	stamp[OFFSET(start)] = STAMP(start, CLAIMED);
	size[OFFSET(start)] = units;
#else
	size[OFFSET(start)] = units;                     /* W2.7 */
	stamp[OFFSET(start)] = STAMP(start, CLAIMED);    /* W2.8 */
#endif
#ifdef MUTANT_STAMP_BEFORE_PAYLOAD
	stamp[OFFSET(start)] = STAMP(start, COMMITTED);
#endif
	half1[OFFSET(start)] = id;                       /* W2.9 */
	half2[OFFSET(start + units - 1)] = id;
	atomic {                                         /* W2.10 */
		if
		:: stamp[OFFSET(start)] = STAMP(start, COMMITTED)
#ifdef ABORTS
		:: stamp[OFFSET(start)] = STAMP(start, ABORTED); fate[id] = GIVEN_UP
#endif
		fi;
		start = 0; units = 0
	};
	atomic {                                         /* it returns */
		if
		:: fate[id] == 0 -> fate[id] = ACCEPTED
		:: else
		fi
	};
done:
	atomic { pos = 0; start = 0; consumer = 0; units = 0 }
}

/* O5. */
inline close(me)
{
	draining[me] = true;
shutting:
	pos = lanProducer;
	atomic {
		if
		:: lanProducer == pos -> lanProducer = pos | CLOSED_BIT
		:: else -> goto shutting
		fi
	};
	consumer = lanConsumer;
#ifndef MUTANT_CLOSE_WITHOUT_WAITING
	/* Every claim is stamped whole. Nobody claims any more, so the memory stays what it is. */
	do
	:: consumer < pos ->
		atomic {
			FITS_WHOLE(stamp[OFFSET(consumer)], consumer) ->
			seen = FITS(stamp[OFFSET(consumer)], consumer, PADDING)
		};
		if
		:: seen -> consumer = consumer + TO_END(consumer)
		:: else -> consumer = consumer + (size[OFFSET(consumer)] & 3)
		fi
	:: else -> break
	od;
#endif
	atomic { slow[me] == 0 -> shut[me] = true; FORGET };
#ifdef MUTANT_UNLOCK_BEFORE_CLOSED
	unlock(WORKER(me));
	lanState = CLOSED
#else
	lanState = CLOSED;                               /* before the lock goes: O4 */
	unlock(WORKER(me))
#endif
}

proctype Goroutine(byte g) provided (dying == 0 || dead[WORKER_OF(_pid - 1)])
{
	byte k, units, pos, start, consumer, seen, delivered, torn, state;
	bool tried;

	{
		if
		:: g == 0 || g >= GOROUTINES -> attach(WORKER_OF(g))
		:: else -> attached[WORKER_OF(g)]
		fi;
		do
		:: k < RECORDS -> append(WORKER_OF(g), ID(g, k)); k++
		:: else -> break
		od;
		if
		:: g == 0 || g >= GOROUTINES -> close(WORKER_OF(g))
		:: else
		fi
	} unless { dead[WORKER_OF(g)] };
	d_step {
		running[WORKER_OF(g)]--;
		dying = (dead[WORKER_OF(g)] -> dying - 1 : dying);
		k = 0; units = 0; start = 0; tried = false; FORGET
	}
}
