// Package failpoint names the places at which a process can die, stop, wait or be
// refused something, so that tests can make it happen there: before every store to
// shared memory, and around every step of the drain.
//
// In a normal build [Hit] and [Err] are empty and cost nothing. Built with the tag
// failpoints, a process does at each point what the environment says:
//
//	RINGLOG_FAILPOINTS='commit.stamp=kill@7 drain.apply=stop@1 append.*=delay(2ms)%1 file.write=ENOSPC@3'
//
// that is: die by SIGKILL when commit.stamp is reached for the 7th time, stop by
// SIGSTOP when drain.apply is reached first, sleep 2 ms in one of a hundred appends'
// steps, and fail the third write of an output with ENOSPC. Without @ or % an action
// is taken each time. What is taken is noted first in the file that
// RINGLOG_FAILPOINTS_LOG names, a line each: the point, a blank, the action.
package failpoint
