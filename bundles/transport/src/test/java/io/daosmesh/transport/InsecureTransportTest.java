package io.daosmesh.transport;

import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.rpc.Role;
import java.util.Optional;
import org.junit.jupiter.api.Tag;

/** The contract without certificates. */
@Tag("slow")
class InsecureTransportTest extends TransportContract {
    static final NodeConfig.Tls INSECURE =
            new NodeConfig.Tls(true, false, Optional.empty(), Optional.empty(), Optional.empty());

    @Override
    NodeConfig.Tls tls(Role role) {
        return INSECURE;
    }
}
