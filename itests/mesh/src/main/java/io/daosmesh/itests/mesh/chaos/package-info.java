/** {@code ./mesh torture --admin}: random administration of real nodes that fail meanwhile, and what has to be true afterwards. */
@NullMarked
package io.daosmesh.itests.mesh.chaos;

import org.jspecify.annotations.NullMarked;
