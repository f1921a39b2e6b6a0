/** Reads, replicated writes, settling, cleaning and migration of a target's pool shards. Pure. */
@NullMarked
package io.daosmesh.engine.object;

import org.jspecify.annotations.NullMarked;
