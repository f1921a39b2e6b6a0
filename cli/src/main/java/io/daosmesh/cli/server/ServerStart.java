package io.daosmesh.cli.server;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * {@code daos_server start}, as help and completion show it: bin/daos_server reads these words itself and becomes the node.
 */
@Command(name = "start", description = "Run the node of this machine in the foreground")
final class ServerStart implements Callable<Integer> {
    @Option(
            names = {"-p", "--port"},
            paramLabel = "PORT",
            description = "control port, whatever the configuration says")
    @Nullable
    Integer port;

    @Option(
            names = {"-s", "--storage"},
            paramLabel = "DIR",
            description = "SCM mount of the one engine")
    @Nullable
    String storage;

    @Option(
            names = {"-t", "--targets"},
            paramLabel = "N",
            description = "targets of each engine")
    @Nullable
    Integer targets;

    @Option(
            names = {"-i", "--insecure"},
            description = "without certificates")
    boolean insecure;

    @Option(names = "--auto-format", description = "format storage that waits for it")
    boolean autoFormat;

    @Option(names = "--data", paramLabel = "DIR", description = "data and logs (default: /var/lib/daos_server)")
    @Nullable
    String data;

    @Override
    public Integer call() {
        throw Fault.of(FaultCode.NOTSUPPORTED, "the tool alone starts no node")
                .remedy("run bin/daos_server start of the installation")
                .asException();
    }
}
