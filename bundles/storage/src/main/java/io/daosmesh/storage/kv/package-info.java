/** The ordered key-value interface behind which a target keeps its index. */
@Export
@Version("1.0.0")
@NullMarked
package io.daosmesh.storage.kv;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
