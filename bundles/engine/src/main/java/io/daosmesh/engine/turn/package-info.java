/** The turns of a target loop: group commit. */
@NullMarked
package io.daosmesh.engine.turn;

import org.jspecify.annotations.NullMarked;
