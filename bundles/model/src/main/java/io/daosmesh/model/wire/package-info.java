/** Generated protobuf messages: what goes over the wire and into the Raft logs. */
@Export
@Version("1.0.0")
package io.daosmesh.model.wire;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
