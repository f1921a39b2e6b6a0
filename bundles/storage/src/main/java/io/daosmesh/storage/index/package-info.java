/** The indexes of an engine's targets with the log they share, and the values that are in it and not yet on their devices. */
@NullMarked
package io.daosmesh.storage.index;

import org.jspecify.annotations.NullMarked;
