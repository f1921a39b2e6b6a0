/** Brings what an earlier release has stored up to the layout of this one. */
@NullMarked
package io.daosmesh.engine.layout;

import org.jspecify.annotations.NullMarked;
