/** A file system laid out over objects: directories are key-value objects, files are arrays. */
@Export
@Version("1.0.0")
@NullMarked
package io.daosmesh.client.dfs;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
