/** Releases of this software: which may talk to each other, and what they read of what others have stored. */
@Export
@Version("1.0.0")
@NullMarked
package io.daosmesh.model.release;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
