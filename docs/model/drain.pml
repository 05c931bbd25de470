/* The drain's transaction, and the reader as a whole: one at a time, since the ring has one
 * reader's lock. When it dies another begins, and knows nothing but what is in shared
 * memory and in the output. Nobody else looks at the intent. */

#define FORGET_INTENT \
	intBefore = 0; intLength = 0; intGeneration = 0; intConsumer = 0; intSeen = 0; intDelivered = 0; intTorn = 0; intFree = 0
#define AS_INTENDED (lanConsumer == intConsumer && lanLostSeen == intSeen && lanDelivered == intDelivered && lanTorn == intTorn)
#ifdef MUTANT_ANY_GENERATION
#define OTHER_GENERATION false
#else
#define OTHER_GENERATION lanGeneration != intGeneration
#endif

/* The state last of all: from then on another process may take the lane. */
inline freeLane()
{
	if
	:: intFree && lanState != FREE ->
		if
		:: OTHER_GENERATION
		:: else ->
			atomic { laneLock == 0 || laneLock == READER -> laneLock = READER };
			if
			:: lanState != FREE ->
				if
				:: OTHER_GENERATION
				:: else -> lanState = FREE
				fi
			:: else
			fi;
			unlock(READER)
		fi
	:: else
	fi
}

/* D4: the lane side of an applied batch, of this reader's or of a dead one's. */
inline publish()
{
	if
	:: OTHER_GENERATION
	:: else ->
#ifdef MUTANT_STATE_BEFORE_PROGRESS
		freeLane();
#endif
		if
		:: lanConsumer <= intConsumer && !AS_INTENDED ->
			lanCheck = CHECK(intConsumer, intSeen, intDelivered, intTorn);
			lanDelivered = intDelivered;
			lanTorn = intTorn;
			lanLostSeen = intSeen;
			lanConsumer = intConsumer
		:: else
		fi;
#if !defined(MUTANT_STATE_BEFORE_PROGRESS) && !defined(MUTANT_STATE_AFTER_CLEAR)
		freeLane()
#endif
	fi
}

/* D1: one batch from intent to publication. */
inline commit()
{
	if
	:: SHOWN && !isDead -> goto published
	:: else
	fi;
#ifdef MUTANT_PREPARED_BEFORE_BATCH
	intState = PREPARED;
#endif
	atomic { intBefore = fileSize; intLength = 2 * count };           /* D2, D3 */
	atomic {
		intGeneration = generation; intConsumer = pos; intSeen = seen; intDelivered = delivered; intTorn = torn;
		intFree = isDead && pos == end
	};
#if !defined(MUTANT_PREPARED_BEFORE_BATCH) && !defined(MUTANT_WRITE_BEFORE_PREPARED)
	intState = PREPARED;
#endif
#ifdef MUTANT_PUBLISH_BEFORE_WRITE
	publish();
#endif
	do
	:: y < count ->
		atomic { file[fileSize / 2] = lines[y]; fileSize++ };
#ifdef MUTANT_APPLIED_BEFORE_WHOLE
		if
		:: y == count - 1 -> intState = APPLIED
		:: else
		fi;
#endif
		atomic { fileSize++; lines[y] = 0; y++ }
	:: else -> break
	od;
#ifdef MUTANT_WRITE_BEFORE_PREPARED
	intState = PREPARED;
#endif
	atomic { assert(fileSize == intBefore + intLength); intState = APPLIED; safe = pos; y = 0; count = 0 };
#ifdef MUTANT_CLEAR_BEFORE_PUBLISH
	intState = NONE;
#endif
#ifndef MUTANT_PUBLISH_BEFORE_WRITE
	publish();
#endif
	d_step { intState = NONE; FORGET_INTENT };
#ifdef MUTANT_STATE_AFTER_CLEAR
	if
	:: isDead && pos == end -> lanState = FREE
	:: else
	fi;
#endif
published:
	atomic {
		if
		:: final && pos == end ->
			if
			:: isDead && laneLock == READER -> laneLock = 0
			:: else
			fi;
			FORGET_STREAM
		:: else
		fi;
		STOP_LOOKING
	}
}

/* D4: what an earlier reader left. */
inline settle()
{
	if
#ifndef MUTANT_NO_ROLLBACK
#ifdef MUTANT_ROLLBACK_OF_APPLIED
	:: intState != NONE ->
#else
	:: intState == PREPARED ->
#endif
		atomic {
			assert(intBefore <= fileSize && fileSize <= intBefore + intLength);
			do
			:: fileSize > intBefore -> fileSize--; file[fileSize / 2] = (fileSize % 2 -> file[fileSize / 2] : 0)
			:: else -> break
			od
		}
#endif
#if !defined(MUTANT_NO_ROLL_FORWARD) && !defined(MUTANT_ROLLBACK_OF_APPLIED)
	:: intState == APPLIED -> publish()
#endif
	:: else
	fi;
	d_step { intState = NONE; FORGET_INTENT; assert(fileSize % 2 == 0) }
}

proctype Reader() provided (dying == 0 || readerDead)
{
	byte generation, owner, pos, end, seen, delivered, torn;  /* the stream */
	bool follows, final, isDead;
	byte state, x, y, units, kind, a, b;
	byte lines[LINES], count;                                 /* the batch */

begin:
	{
		settle();
idle:
		if
		:: READY
		:: atomic { spare > 0 -> spare-- }
		:: atomic { ALL_ENDED && !READY && NOTHING_LEFT -> readerDone = true; goto over }
		fi;
		refresh();
		collect();
		finish();
		commit()
	} unless { readerDead };

	d_step {
		do
		:: count > 0 -> count--; lines[count] = 0
		:: else -> break
		od;
		FORGET_STREAM; state = 0; x = 0; y = 0; units = 0; kind = 0; a = 0; b = 0; readerDead = false; dying--
	};
#ifdef NO_NEXT_READER
	goto gone;
#else
	goto begin;
#endif
over:
	judge();
gone:
	skip
}
