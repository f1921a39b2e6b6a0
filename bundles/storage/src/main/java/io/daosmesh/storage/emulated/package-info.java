/** Devices in memory. */
@NullMarked
package io.daosmesh.storage.emulated;

import org.jspecify.annotations.NullMarked;
