/** Devices whose drivers may be replaced at any time, and the requests to them. */
@NullMarked
package io.daosmesh.storage.slot;

import org.jspecify.annotations.NullMarked;
