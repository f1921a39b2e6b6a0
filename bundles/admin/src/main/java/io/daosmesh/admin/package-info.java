/** Calls of an administrator over the RPC port: fan-out over hosts, leader discovery, safe retries. */
@Export
@Version("1.0.0")
@NullMarked
package io.daosmesh.admin;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
