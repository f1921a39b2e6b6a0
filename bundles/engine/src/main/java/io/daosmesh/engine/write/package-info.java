/** Writes of a leader and of a member, and how what is left open is settled. Pure. */
@NullMarked
package io.daosmesh.engine.write;

import org.jspecify.annotations.NullMarked;
