/** Who may do what: users, and what pools and containers say about them. */
@Export
@Version("1.0.0")
@NullMarked
package io.daosmesh.model.access;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
