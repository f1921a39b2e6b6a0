/** The turns of a target loop: group commit. Pure. */
@NullMarked
package io.daosmesh.engine.target;

import org.jspecify.annotations.NullMarked;
