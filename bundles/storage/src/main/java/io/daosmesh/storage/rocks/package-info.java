/** A target's index in RocksDB. */
@NullMarked
package io.daosmesh.storage.rocks;

import org.jspecify.annotations.NullMarked;
