package io.daosmesh.cli.training;

import io.daosmesh.cli.dmg.Dmg;
import io.daosmesh.cli.dmg.DmgRoot;
import io.daosmesh.cli.start.LeanStart;
import io.daosmesh.cli.start.WarmUp;
import io.daosmesh.model.port.Endpoint;
import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.port.RpcMessage;
import io.daosmesh.model.port.RpcMethod;
import io.daosmesh.model.wire.GroupMapMessage;
import io.daosmesh.model.wire.MemberMessage;
import io.daosmesh.model.wire.NodeStatusReply;
import io.daosmesh.model.wire.SystemQueryReply;
import io.daosmesh.transport.ServerSettings;
import io.daosmesh.transport.ServerTransport;
import io.daosmesh.transport.certs.CertificateMaker;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.Provider;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.concurrent.TimeUnit;
import reactor.core.publisher.Mono;

/**
 * Part of the build: a server for one run of dmg, so that the JVM of that run can archive the classes of a call over TLS
 * ({@code -XX:ArchiveClassesAtExit}), and none of a server's. Arguments: an empty folder, then the command line of that JVM,
 * whose main class is this one too; it gets the path of its configuration. Ends by itself.
 */
public final class Training {
    private static final long CALLS_MAX_S = 60;

    /** Which classes a call loads depends a little on which of its threads is faster. */
    private static final int ROUNDS = 5;

    private Training() {}

    public static void main(String[] args) throws IOException, InterruptedException {
        if (args.length == 1) calls(args[0]);
        else serve(Path.of(args[0]), List.of(args).subList(1, args.length));
    }

    private static void calls(String config) {
        LeanStart.prepareSmall();
        WarmUp.begin("system");
        // the JDK looks through them all for one, in an order that differs from start to start
        ServiceLoader.load(Provider.class, ClassLoader.getSystemClassLoader()).forEach(Provider::getName);
        for (int round = 0; round < ROUNDS; round++) {
            run("-o", config, "system", "query");
            run("-o", config, "-j", "system", "query");
            run("-o", config, "system", "query", "-v");
            run("-o", config, "storage", "query", "list-devices");
        }
    }

    private static void serve(Path dir, List<String> jvm) throws IOException, InterruptedException {
        new CertificateMaker(dir, Instant.now()).generate(false);
        try (ServerTransport server =
                ServerTransport.open(new ServerSettings("daos_server", "", "127.0.0.1", 0, server(dir), 1))) {
            server.server()
                    .register(
                            Endpoint.NODE,
                            RpcMethod.SYSTEM_QUERY,
                            call -> Mono.just(RpcMessage.of(members(server.address()))));
            server.server()
                    .register(
                            Endpoint.NODE,
                            RpcMethod.NODE_STATUS,
                            call -> Mono.just(RpcMessage.of(NodeStatusReply.newBuilder()
                                    .setCertificateExpiresS(1)
                                    .build())));
            Path config = dir.resolve("daos_control.yml");
            Files.writeString(config, configuration(dir, server.address()));
            List<String> command = new ArrayList<>(jvm);
            command.add(config.toString());
            Process calls = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            if (!calls.waitFor(CALLS_MAX_S, TimeUnit.SECONDS)) calls.destroyForcibly();
        }
    }

    private static void run(String... args) {
        PrintStream nowhere = new PrintStream(OutputStream.nullOutputStream());
        Dmg.run(new DmgRoot(nowhere, nowhere), args);
    }

    private static NodeConfig.Tls server(Path dir) {
        return new NodeConfig.Tls(
                false,
                false,
                Optional.of(dir.resolve("daosCA.crt")),
                Optional.of(dir.resolve("server.crt")),
                Optional.of(dir.resolve("server.key")));
    }

    private static String configuration(Path dir, String address) {
        return String.format(
                "name: daos_server%nhostlist: [\"%s\"]%ntransport_config:%n  allow_insecure: false%n"
                        + "  ca_cert: \"%s\"%n  cert: \"%s\"%n  key: \"%s\"%n",
                address, dir.resolve("daosCA.crt"), dir.resolve("admin.crt"), dir.resolve("admin.key"));
    }

    private static SystemQueryReply members(String address) {
        MemberMessage.Builder member = MemberMessage.newBuilder().setAddress(address);
        GroupMapMessage.Builder map = GroupMapMessage.newBuilder().setVersion(1);
        for (int rank = 0; rank < 3; rank++) map.addMembers(member.setRank(rank).setState(MemberMessage.State.JOINED));
        return SystemQueryReply.newBuilder().setGroupMap(map).build();
    }
}
