/** Requests between nodes, clients and tools: their names, limits and roles, who sends and who answers them. */
@Export
@Version("1.0.0")
@NullMarked
package io.daosmesh.model.rpc;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
