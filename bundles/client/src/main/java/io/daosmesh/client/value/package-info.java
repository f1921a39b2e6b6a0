/** What applications give to a client and get from it: values to write and read, what is expected of keys, counters. */
@Export
@Version("1.0.0")
@NullMarked
package io.daosmesh.client.value;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
