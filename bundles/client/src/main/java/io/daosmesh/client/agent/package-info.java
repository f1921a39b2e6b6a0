/** The way of a process to the daos_agent of its machine. */
@Export
@Version("1.0.0")
@NullMarked
package io.daosmesh.client.agent;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
