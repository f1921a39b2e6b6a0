/** The parts of storage with threads, files, drivers and services. */
@NullMarked
package io.daosmesh.storage.runtime;

import org.jspecify.annotations.NullMarked;
