package io.daosmesh.control.config;

import io.daosmesh.model.port.NodeConfig;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** Refuses certificates that are not there before anything starts; what is in them is the transport's business. */
final class Certificates {
    private Certificates() {}

    static void check(NodeConfig.Tls tls) {
        if (tls.allowInsecure()) return;
        check("transport_config.ca_cert", tls.ca());
        check("transport_config.cert", tls.certificate());
        check("transport_config.key", tls.key());
        if (tls.crl().isPresent()) check("transport_config.crl", tls.crl());
    }

    private static void check(String key, Optional<Path> file) {
        if (file.isEmpty() || !Files.isReadable(file.get()) || Files.isDirectory(file.get())) {
            throw ConfigFault.CERTIFICATE
                    .at(key, "%s cannot be read", file.map(Path::toString).orElse("nothing"))
                    .asException();
        }
    }
}
