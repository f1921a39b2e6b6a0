package io.daosmesh.cli.dmg;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.MessageLite;
import io.daosmesh.admin.AdminCalls;
import io.daosmesh.cli.metrics.MetricsAccess;
import io.daosmesh.model.access.Acl;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.Rpc;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.rpc.RpcReply;
import io.daosmesh.model.wire.AclReply;
import io.daosmesh.model.wire.AclRequest;
import io.daosmesh.model.wire.Empty;
import io.daosmesh.model.wire.OwnerRequest;
import io.daosmesh.model.wire.PoolCreateReply;
import io.daosmesh.model.wire.PoolCreateRequest;
import io.daosmesh.model.wire.PoolEntryMessage;
import io.daosmesh.model.wire.PoolEvictReply;
import io.daosmesh.model.wire.PoolFindReply;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** dmg's commands about who may do what. */
@Timeout(20)
class DmgAccessTest {
    private static final DmgConfig CONFIG = new DmgConfig(
            "daos_server",
            10001,
            List.of("127.0.0.1:10001"),
            new NodeConfig.Tls(true, false, Optional.empty(), Optional.empty(), Optional.empty()),
            MetricsAccess.PLAIN);

    private final Map<RpcMethod, Function<MessageLite, MessageLite>> answers = new EnumMap<>(RpcMethod.class);
    private final List<AclRequest> asked = new ArrayList<>();
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private Acl acl = Acl.of("A::OWNER@:rw", "A:G:GROUP@:rw");

    @TempDir
    Path folder;

    @BeforeEach
    void serve() {
        answers.put(
                RpcMethod.POOL_FIND,
                r -> PoolFindReply.newBuilder()
                        .setEntry(PoolEntryMessage.newBuilder().setPool(Ids.bytes(new UUID(1, 1))))
                        .build());
        answers.put(RpcMethod.POOL_ACL, r -> {
            AclRequest request = (AclRequest) r;
            asked.add(request);
            if (request.getOpValue() == 1) acl = Acl.of(request.getEntriesList());
            if (request.getOpValue() == 2) acl = acl.updated(Acl.of(request.getEntriesList()));
            return AclReply.newBuilder()
                    .setOwner("ada@")
                    .setGroup("labs@")
                    .addAllEntries(acl.lines())
                    .build();
        });
    }

    private int dmg(String... words) {
        out.reset();
        err.reset();
        DmgRoot root = new DmgRoot(stream(out), stream(err));
        root.use(CONFIG, new AdminCalls(new Server(), CONFIG.hosts(), Duration.ofSeconds(1), Duration.ofSeconds(1)));
        return Dmg.run(root, words);
    }

    private static PrintStream stream(ByteArrayOutputStream to) {
        return new PrintStream(to, true, StandardCharsets.UTF_8);
    }

    private static String text(ByteArrayOutputStream of) {
        return of.toString(StandardCharsets.UTF_8);
    }

    @Test
    void shouldShowAListAsTextAsJsonAndInAFile() throws IOException {
        String shown = "# Owner: ada@\n# Owner Group: labs@\n# Entries:\nA::OWNER@:rw\nA:G:GROUP@:rw\n";
        Path file = folder.resolve("tank.acl");

        assertEquals(0, dmg("pool", "get-acl", "tank"), text(err));
        assertEquals(shown, text(out));
        assertEquals(0, dmg("-j", "pool", "get-acl", "tank"));
        assertTrue(text(out).contains("\"owner_user\": \"ada@\""), text(out));
        assertEquals(0, dmg("pool", "get-acl", "tank", "--outfile", file.toString()));
        assertEquals("Wrote ACL to output file: " + file + "\n", text(out));
        assertEquals(shown, Files.readString(file));
        assertEquals(1, dmg("pool", "get-acl", "tank", "--outfile", file.toString()));
        assertTrue(text(err).contains("file already exists: " + file), text(err));
        assertEquals(0, dmg("pool", "get-acl", "tank", "-v", "-f", "--outfile", file.toString()));
        assertTrue(Files.readString(file).contains("# Allow: Owner-Group: Read/Write\n"), Files.readString(file));
        assertEquals(0, dmg("pool", "overwrite-acl", "tank", "--acl-file", file.toString()), text(err));
    }

    @Test
    void shouldChangeAList() throws IOException {
        Path file = Files.writeString(folder.resolve("new.acl"), "# mine\n\nA::EVERYONE@:r\nA::OWNER@:rw\n");

        assertEquals(0, dmg("pool", "overwrite-acl", "tank", "-a", file.toString()), text(err));
        assertEquals(
                "Pool-overwrite-ACL command succeeded, ID: tank\n# Owner: ada@\n# Owner Group: labs@\n# Entries:\n"
                        + "A::OWNER@:rw\nA::EVERYONE@:r\n",
                text(out));
        assertEquals(0, dmg("pool", "update-acl", "tank", "-e", "A::bob@:r"), text(err));
        assertTrue(text(out).contains("A::bob@:r\n"), text(out));
        assertEquals(0, dmg("pool", "delete-acl", "tank", "-p", "u:bob@"), text(err));
        assertEquals("u:bob@", asked.get(asked.size() - 1).getPrincipal());
        assertTrue(text(out).startsWith("Pool-delete-ACL command succeeded, ID: tank\n"), text(out));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "pool update-acl tank | either ACL file or entry parameter is required",
                "pool update-acl tank -e A::bob@:r -a f | either ACL file or entry parameter is required",
                "pool update-acl tank -e bob | is no entry of an access control list",
                "pool update-acl tank -a /nowhere/file | opening ACL file: /nowhere/file: no such file",
                "pool overwrite-acl tank | Missing required option",
                "pool overwrite-acl tank -a /dev/null | contains no entries",
                "pool overwrite-acl tank -a /dev/zero | more than",
                "pool delete-acl tank -p bob@ | is no principal",
                "container set-owner tank c | at least one of --user or --group",
                "cont set-owner tank c -u a:b | is no principal",
                "pool create p --size 1GB -a /dev/null | contains no entries",
                "pool create p --size 1GB -u a@b | is no principal"
            })
    void shouldRefuseNonsenseBeforeItAsks(String words, String error) {
        assertEquals(1, dmg(words.split(" ")));

        assertTrue(text(err).startsWith("ERROR: dmg: "), text(err));
        assertTrue(text(err).contains(error), text(err));
        assertFalse(text(err).contains("\tat "), text(err));
        assertEquals(List.of(), asked);
    }

    @Test
    void shouldNameRanksThatHaveNotConfirmedAnEviction() {
        answers.put(RpcMethod.POOL_EVICT, r -> PoolEvictReply.getDefaultInstance());
        assertEquals(0, dmg("pool", "evict", "tank"), text(err));
        assertEquals("Pool-evict command succeeded\n", text(out));

        answers.put(
                RpcMethod.POOL_EVICT,
                r -> PoolEvictReply.newBuilder().addUnconfirmedRanks(3).build());
        assertEquals(1, dmg("pool", "evict", "tank"));
        assertTrue(text(err).contains("ranks [3] have not confirmed"), text(err));
    }

    @Test
    void shouldGiveAContainerToANameWithoutDomain() {
        answers.put(RpcMethod.CONTAINER_OWNER, r -> {
            OwnerRequest request = (OwnerRequest) r;
            assertEquals("c", request.getContainer());
            assertEquals("bob@", request.getUser());
            assertEquals("", request.getGroup());
            return Empty.getDefaultInstance();
        });

        assertEquals(0, dmg("cont", "set-owner", "tank", "c", "--user", "bob"), text(err));

        assertEquals("Container-set-owner command succeeded\n", text(out));
    }

    @Test
    void shouldMakeAPoolForTheOneWhoAsksOrIsNamed() throws IOException {
        Path file = Files.writeString(folder.resolve("new.acl"), "A::EVERYONE@:r\n");
        List<PoolCreateRequest> made = new ArrayList<>();
        answers.put(RpcMethod.POOL_CREATE, r -> {
            made.add((PoolCreateRequest) r);
            return PoolCreateReply.newBuilder()
                    .setPool(made.get(0).getPool())
                    .addRanks(0)
                    .build();
        });
        answers.put(RpcMethod.SYSTEM_QUERY, r -> DmgTest.members());

        assertEquals(0, dmg("pool", "create", "p", "--size", "300MB"), text(err));
        assertEquals(
                0,
                dmg("pool", "create", "q", "--size", "300MB", "-u", "bob", "-g", "ops@", "-a", file.toString()),
                text(err));

        assertEquals(System.getProperty("user.name") + "@", made.get(0).getUser());
        assertTrue(made.get(0).getGroup().endsWith("@"));
        assertFalse(made.get(0).hasAcl());
        assertEquals("bob@", made.get(1).getUser());
        assertEquals("ops@", made.get(1).getGroup());
        assertEquals(List.of("A::EVERYONE@:r"), made.get(1).getAcl().getEntriesList());
    }

    /** The one server of the system. */
    private final class Server implements Rpc {
        @Override
        public <T> Mono<T> call(
                Endpoint to, RpcMethod method, RpcMessage request, Duration deadline, RpcReply.Decoder<T> decoder) {
            return Mono.fromCallable(() -> {
                Function<MessageLite, MessageLite> answer = answers.get(method);
                if (answer == null) throw Fault.of(FaultCode.UNREACH).asException();
                MessageLite reply = answer.apply(request.body());
                return decoder.decode(new RpcReply(reply.toByteString().asReadOnlyByteBuffer(), RpcMessage.NO_DATA));
            });
        }

        @Override
        public Mono<Void> fire(Endpoint to, RpcMethod method, RpcMessage request) {
            return Mono.empty();
        }

        @Override
        public <T> Flux<T> stream(Endpoint to, RpcMethod method, RpcMessage request, RpcReply.Decoder<T> decoder) {
            return Flux.empty();
        }

        @Override
        public AutoCloseable onPeerClosed(PeerListener listener) {
            return () -> {};
        }
    }
}
