/** The share of one pool on one target, what it may do by its map, and what surrounds it. Pure. */
@NullMarked
package io.daosmesh.engine.shard;

import org.jspecify.annotations.NullMarked;
