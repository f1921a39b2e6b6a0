/** What the leader of a pool's service sees to by itself: replicas, returns, ended handles, destroyed containers. Pure. */
@NullMarked
package io.daosmesh.management.pool.upkeep;

import org.jspecify.annotations.NullMarked;
