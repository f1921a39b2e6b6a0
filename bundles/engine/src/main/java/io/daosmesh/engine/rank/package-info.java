/** The targets of a rank: each finds the pool that is asked for and the role that serves it. Pure. */
@NullMarked
package io.daosmesh.engine.rank;

import org.jspecify.annotations.NullMarked;
