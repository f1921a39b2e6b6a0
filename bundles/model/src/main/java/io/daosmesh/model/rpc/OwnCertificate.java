package io.daosmesh.model.rpc;

import java.time.Instant;

/**
 * The certificate that this node shows to its peers, published as an OSGi service by the transport; absent in insecure mode.
 * Any thread.
 */
public interface OwnCertificate {
    /** End of the one in use now. */
    Instant expires();
}
