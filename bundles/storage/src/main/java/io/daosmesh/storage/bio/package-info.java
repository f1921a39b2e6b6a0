/** Block allocation inside a blob. Pure. */
@Export
@Version("1.0.0")
@NullMarked
package io.daosmesh.storage.bio;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
