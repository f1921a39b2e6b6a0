/** Which rank may answer reads alone, and for how long. Pure. */
@NullMarked
package io.daosmesh.engine.lease;

import org.jspecify.annotations.NullMarked;
