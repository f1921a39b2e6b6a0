/** An engine's storage from the first look at it to its end. */
@NullMarked
package io.daosmesh.storage.engine;

import org.jspecify.annotations.NullMarked;
