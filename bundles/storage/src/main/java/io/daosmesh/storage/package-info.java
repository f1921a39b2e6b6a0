/** What an engine sees of its storage: targets, pool spaces, blobs, device states. */
@Export
@Version("1.0.0")
@NullMarked
package io.daosmesh.storage;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
