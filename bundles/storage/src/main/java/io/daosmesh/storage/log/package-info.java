/** The log of an engine: frames, segments, and what a start makes of their bytes. Pure. */
@NullMarked
package io.daosmesh.storage.log;

import org.jspecify.annotations.NullMarked;
