/** What machines have, as administrators read it, and the server configuration that suits them. */
@Export
@Version("1.0.0")
@NullMarked
package io.daosmesh.admin.machine;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
