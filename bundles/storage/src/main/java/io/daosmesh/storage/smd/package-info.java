/** Durable tables and headers: superblock, server metadata, device header. Pure. */
@NullMarked
package io.daosmesh.storage.smd;

import org.jspecify.annotations.NullMarked;
