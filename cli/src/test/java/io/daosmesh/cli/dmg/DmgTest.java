package io.daosmesh.cli.dmg;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.DeviceInfoMessage;
import io.daosmesh.model.wire.FormatResultMessage;
import io.daosmesh.model.wire.ListDevicesReply;
import io.daosmesh.model.wire.PoolCreateReply;
import io.daosmesh.model.wire.PoolCreateRequest;
import io.daosmesh.model.wire.PropertiesReply;
import io.daosmesh.model.wire.PropertiesRequest;
import io.daosmesh.model.wire.RankResultMessage;
import io.daosmesh.model.wire.StorageFormatReply;
import io.daosmesh.model.wire.StorageFormatRequest;
import io.daosmesh.model.wire.SystemActionReply;
import io.daosmesh.model.wire.SystemActionRequest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;

/** dmg as an administrator meets it: words in, text and status out. */
@Timeout(20)
class DmgTest extends FakeDmg {
    @Test
    void shouldShowStatesByRankGroups() {
        answers.put(RpcMethod.SYSTEM_QUERY, r -> members());

        assertEquals(0, dmg("system", "query"));

        assertEquals("Rank  State    \n----  -----    \n[0-1] Joined   \n2     Excluded \n\n", text(out));
        assertEquals("", text(err));
    }

    @Test
    void shouldFindOptionsAnywhere() {
        answers.put(RpcMethod.SYSTEM_QUERY, r -> members());

        assertEquals(0, dmg("-j", "system", "query", "--ranks", "2", "-l", "127.0.0.1:10001"));

        assertTrue(text(out).contains("\"state\": \"excluded\""), text(out));
        assertFalse(text(out).contains("joined"), text(out));
    }

    @Test
    void shouldSetAndShowSystemProperties() {
        answers.put(RpcMethod.SYSTEM_PROPERTIES, r -> {
            Map<String, String> set = ((PropertiesRequest) r).getSetMap();
            return PropertiesReply.newBuilder()
                    .putValues("self_heal", set.getOrDefault("self_heal", "exclude"))
                    .build();
        });

        assertEquals(0, dmg("system", "set-prop", "self_heal:exclude;pool_rebuild"));
        assertEquals(0, dmg("system", "get-prop", "self_heal"));
        assertEquals(1, dmg("system", "get-prop", "x"));

        assertTrue(text(out).startsWith("system set-prop succeeded\n"), text(out));
        assertTrue(text(out).contains("Self-heal policy for the system (self_heal) exclude "), text(out));
        assertTrue(text(err).contains("invalid system property key: x"), text(err));
    }

    @Test
    void shouldFailWhenARankToStopIsNotThere() {
        answers.put(RpcMethod.SYSTEM_QUERY, r -> members());

        assertEquals(1, dmg("system", "stop", "--ranks", "99"));

        assertTrue(text(out).contains("Unknown Rank"), text(out));
        assertTrue(text(err).contains("DER_NONEXIST(-1005): the system has no ranks 99"), text(err));
    }

    @Test
    void shouldSelectRanksByHostInBothSpellings() {
        answers.put(RpcMethod.SYSTEM_QUERY, r -> members());

        assertEquals(0, dmg("system", "query", "--host-ranks", "127.0.0.1:10002,st9"));
        assertEquals(0, dmg("system", "query", "--rank-hosts=127.0.0.1:10002,st9"));

        assertTrue(text(out).contains("1    Joined"), text(out));
        assertTrue(text(out).contains("Unknown 1 host: st9"), text(out));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "system query --ranks 1 --rank-hosts a | --ranks and --rank-hosts options cannot be set together",
                "system query --not-ok --with-states joined | cannot be set together",
                "system query --with-states joyful | invalid state name",
                "system query --ranks x | unexpected alphabetic character(s)",
                "system query --rank 1 | unknown flag `rank'",
                "system exclude | no ranks or hosts specified",
                "system frobnicate | Unknown command `frobnicate'",
                "frobnicate | Unknown command `frobnicate'",
                "storage scan -v -n | cannot use --verbose with --nvme-health",
                "storage scan -l 1 | invalid hostname \"1\"",
                "storage query device-health | Missing required option",
                "storage query device-health -u 7 | '7' is not a UUID",
                "pool create p | no size specified",
                "pool create p --size 1GB --scm-size 1GB | unsupported option combination",
                "pool create p --size 50% --nranks 2 | cannot be set with --nranks",
                "pool create p --size 1GB -t 20,20 | must add up to 100",
                "pool create p --size 0% | allowed range 0 < ratio <= 100",
                "pool create p --size lots | invalid size \"lots\"",
                "pool create p --size 1GB -P label:x | can't set label property with label argument",
                "pool create 8d2a0f3c-0c35-4d2b-8c8e-3c8e5d1f7e01 --size 1GB | invalid label",
                "pool exclude p | Missing required option",
                "telemetry metrics list -l a,b | must specify exactly one host",
                "telemetry metrics list -p 0 | 0 is not a port",
                "system | Please specify one command of"
            })
    void shouldRefuseWrongUsageWithOneClearLine(String words, String error) {
        answers.put(RpcMethod.SYSTEM_QUERY, r -> members());

        assertEquals(1, dmg(words.split(" ")));

        assertTrue(text(err).startsWith("ERROR: dmg: "), text(err));
        assertTrue(text(err).contains(error), text(err));
        assertFalse(text(err).contains("\tat "), text(err));
    }

    @Test
    void shouldReplaceTheRanksOfOneHost() {
        answers.put(
                RpcMethod.STORAGE_FORMAT,
                r -> StorageFormatReply.newBuilder()
                        .addResults(FormatResultMessage.newBuilder()
                                .setKind("scm")
                                .setOk(((StorageFormatRequest) r).getReplace()))
                        .build());

        assertEquals(0, dmg("storage", "format", "--replace", "-l", "st1"), () -> text(err));
        assertTrue(text(out).startsWith("Format Summary:"), text(out));
        assertEquals(1, dmg("storage", "format", "--replace"));
        assertTrue(text(err).contains("3 hosts are named"), text(err));
        assertEquals(1, dmg("storage", "format", "--replace", "--force", "-l", "st1"));
        assertTrue(text(err).contains("cannot use --replace with --force"), text(err));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"firmware update -p x", "pool node-auth enable p", "check start --policies x:y", "check query"})
    void shouldSayWhyThereIsNone(String words) {
        assertEquals(1, dmg(words.split(" ")));

        assertTrue(text(err).contains("DER_NOTSUPPORTED(-2037): "), text(err));
        assertTrue(text(err).matches("(?s).*resolution = \"[^\"]{20,}\".*"), text(err));
    }

    @Test
    void shouldAnswerErrorsAsJsonToo() {
        assertEquals(1, dmg("-j", "system", "query"));

        assertTrue(text(out).contains("\"status\": -1006"), text(out));
        assertTrue(text(err).startsWith("ERROR: dmg: DER_UNREACH(-1006)"), text(err));
    }

    @Test
    void shouldCreateAPoolOfThreeHundredMegabytes() {
        answers.put(RpcMethod.SYSTEM_QUERY, r -> members());
        answers.put(RpcMethod.POOL_CREATE, r -> {
            PoolCreateRequest request = (PoolCreateRequest) r;
            assertEquals("p", request.getLabel());
            assertEquals(4_500_000 / 4096 * 4096, request.getScmBytesPerTarget());
            return PoolCreateReply.newBuilder()
                    .setPool(request.getPool())
                    .addRanks(0)
                    .addRanks(1)
                    .setScmBytesPerRank(request.getScmBytesPerTarget() * 2)
                    .setNvmeBytesPerRank(request.getNvmeBytesPerTarget() * 2)
                    .build();
        });

        assertEquals(0, dmg("pool", "create", "p", "--size", "300MB"), text(err));

        assertTrue(text(out).contains("Total Size           : 300 MB"), text(out));
    }

    @Test
    void shouldFailWhenARankCouldNotBeStopped() {
        answers.put(RpcMethod.SYSTEM_QUERY, r -> members());
        answers.put(RpcMethod.SYSTEM_ACTION, r -> {
            assertTrue(((SystemActionRequest) r).getForce());
            return SystemActionReply.newBuilder()
                    .addResults(RankResultMessage.newBuilder().setRank(0).setAction("stop"))
                    .addResults(RankResultMessage.newBuilder()
                            .setRank(1)
                            .setAction("stop")
                            .setErrored(true)
                            .setMessage("busy"))
                    .build();
        });

        assertEquals(1, dmg("system", "stop", "--force"));

        assertTrue(text(out).contains("1    stop      busy"), text(out));
        assertTrue(text(err).contains("system stop failed: failed rank 1"), text(err));
    }

    @Test
    void shouldFailWhenStorageIsFormattedAlready() {
        answers.put(
                RpcMethod.STORAGE_FORMAT,
                r -> StorageFormatReply.newBuilder()
                        .addResults(FormatResultMessage.newBuilder()
                                .setKind("scm")
                                .setMessage("already formatted")
                                .setStatus(-1004))
                        .build());

        assertEquals(1, dmg("storage", "format"));

        assertTrue(text(err).contains("127.0.0.1:1000[1-3] already formatted"), text(err));
        assertTrue(text(err).contains("DER_EXIST(-1004)"), text(err));
    }

    @Test
    void shouldTellAboutADeviceWithoutLight() {
        UUID uuid = new UUID(1, 2);
        answers.put(
                RpcMethod.STORAGE_LIST_DEVICES,
                r -> ListDevicesReply.newBuilder()
                        .addDevices(DeviceInfoMessage.newBuilder().setUuid(Ids.bytes(uuid)))
                        .build());
        answers.put(RpcMethod.STORAGE_LED, r -> {
            throw Fault.of(FaultCode.NOSYS).asException();
        });

        assertEquals(1, dmg("storage", "identify", "vmd", "--uuid", uuid.toString()));

        assertEquals("127.0.0.1 DAOS error (-1010): DER_NOSYS\n", text(err));
    }

    @Test
    void shouldReadTheConfigurationThatTheMeshWrites() throws IOException {
        Path file = folder.resolve("daos_control.yml");
        Files.writeString(
                file,
                "name: daos_server\nport: 10001\nhostlist: [\"127.0.0.1:10001\", \"st[1-2]\"]\n"
                        + "transport_config:\n  ca_cert: \"/a\"\n  cert: \"/b\"\n  key: \"/c\"\n  data_channel: tls\n");

        DmgConfig config = DmgConfig.read(file);

        assertEquals(List.of("127.0.0.1:10001", "st1:10001", "st2:10001"), config.hosts());
        assertEquals(Optional.of(Path.of("/b")), config.tls().certificate());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "port: 0 | port: 0 is not a port",
                "prot: 1 | prot: unknown key",
                "hostlist: [] | hostlist: names no host",
                "hostlist: ['7'] | hostlist: invalid hostname",
                "transport_config: {insecure: true} | transport_config.insecure: unknown key",
                "transport_config: 7 | transport_config: wants a mapping",
                "name: [ | line"
            })
    void shouldNameTheKeyWhenTheConfigurationIsBad(String yaml, String error) throws IOException {
        Path file = folder.resolve("daos_control.yml");
        Files.writeString(file, yaml);

        int status = Dmg.run(new DmgRoot(stream(out), stream(err)), "-o", file.toString(), "system", "query");

        assertEquals(1, status);
        assertTrue(text(err).contains(error), text(err));
    }

    /** An unset variable of a shell must not stop a system: also not with a command that is added later. */
    @Test
    void shouldRefuseAWordThatNamesNothingWhereverItStands() {
        List<List<String>> options = new ArrayList<>();
        collect(DmgTree.build(new DmgRoot(stream(out), stream(err)), List.of()), List.of(), options);
        assertTrue(options.size() > 30, options.toString());
        answers.put(RpcMethod.SYSTEM_QUERY, r -> members());

        for (List<String> option : options) {
            List<String> words = new ArrayList<>(option);
            words.add(options.indexOf(option) % 2 == 0 ? "" : ",");
            assertEquals(1, dmg(words.toArray(String[]::new)), words.toString());
            assertEquals(0, calls, words.toString());
        }
    }

    private static void collect(CommandLine at, List<String> path, List<List<String>> options) {
        for (OptionSpec option : at.getCommandSpec().options()) {
            if (option.arity().max() == 0 || option.inherited()) continue;
            List<String> words = new ArrayList<>(path);
            words.add(option.longestName());
            options.add(words);
        }
        new LinkedHashSet<>(at.getSubcommands().values()).forEach(command -> {
            List<String> deeper = new ArrayList<>(path);
            deeper.add(command.getCommandName());
            collect(command, deeper, options);
        });
    }

    @Test
    void shouldActOnNobodyWhenASelectorNamesNobody() {
        answers.put(RpcMethod.SYSTEM_QUERY, r -> members());
        answers.put(RpcMethod.SYSTEM_ACTION, r -> SystemActionReply.getDefaultInstance());

        for (String command : List.of("stop", "start", "exclude", "clear-exclude")) {
            for (String option : List.of("--ranks", "--rank-hosts", "--host-ranks")) {
                assertEquals(1, dmg("system", command, option, ""), command + option);
                assertTrue(text(err).contains("it names nothing"), text(err));
            }
        }
        assertEquals(0, calls);
    }

    @Test
    void shouldTakeWordsAsTheyAreTyped() throws IOException {
        Path words = Files.writeString(folder.resolve("words"), "system query");

        assertEquals(1, dmg("@" + words));

        assertTrue(text(err).contains("Unknown command `@"), text(err));
    }
}
