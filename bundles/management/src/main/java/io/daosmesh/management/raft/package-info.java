/** Replicated logs of state machines, and the library behind them. */
@NullMarked
package io.daosmesh.management.raft;

import org.jspecify.annotations.NullMarked;
