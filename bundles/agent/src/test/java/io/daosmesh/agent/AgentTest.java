package io.daosmesh.agent;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.daosmesh.client.agent.LocalAgent;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.wire.AgentReply;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** What the processes of a machine get of their agent, and what becomes of what they leave. */
class AgentTest extends AgentFixture {
    private static final UUID POOL = Ids.uuid(FakeSystem.POOL);

    @Test
    void shouldTellWhereTheSystemIsAndWhoAsks() {
        start();

        LocalAgent local = local();

        assertEquals("daos_server", local.system().name());
        assertEquals(
                List.of(FakeSystem.address(1), FakeSystem.address(0), FakeSystem.address(2)),
                local.system().addresses());
        assertArrayEquals(new byte[] {1, 2, 3}, local.system().authority().orElseThrow());
        String said = new String(local.credential(), StandardCharsets.UTF_8);
        assertTrue(said.startsWith(System.getProperty("user.name") + "@ "), said);
        assertTrue(said.contains(" here "), said);
    }

    @Test
    void shouldBelieveTheKernelAboutTheUser() throws Exception {
        needNobody();
        start();

        Child child = new Child(AS_NOBODY, CREDENTIAL);

        String said = child.answer().getCredential().getCredential().toStringUtf8();
        assertTrue(said.startsWith("nobody@ "), said);
        assertFalse(said.contains("root@"), said);
    }

    @Test
    void shouldEvictWhatAKilledProcessHadOpen() throws Exception {
        start();
        Child child = new Child(List.of(), opened(handle(1), handle(2)));
        child.answer();
        LocalAgent other = local();
        other.onConnected(POOL, handle(3).toByteArray());

        child.close();

        await("evicted", () -> system.evicted().size() == 2);
        assertEquals(Set.of(handle(1), handle(2)), Set.copyOf(system.evicted()));
        assertEquals("", system.evictions().get(0).getMachine());
        other.close();
        await("evicted", () -> system.evicted().contains(handle(3)));
    }

    @Test
    void shouldNotEvictWhatWasClosed() {
        start();
        LocalAgent local = local();
        local.onConnected(POOL, handle(1).toByteArray());
        local.onConnected(POOL, handle(2).toByteArray());
        local.onDisconnected(POOL, handle(1).toByteArray());

        local.close();

        await("evicted", () -> system.evicted().contains(handle(2)));
        assertEquals(List.of(handle(2)), system.evicted());
    }

    /** Changes that come while the agent is answering are not forgotten. */
    @Test
    void shouldTellEveryChange() {
        start();
        LocalAgent local = local();
        for (int i = 0; i < 300; i++) {
            local.onConnected(POOL, handle(i).toByteArray());
            if (i % 3 != 0) local.onDisconnected(POOL, handle(i).toByteArray());
        }

        local.close();

        await("evicted", () -> system.evicted().size() == 100);
        assertTrue(system.evicted().stream()
                .noneMatch(h -> h.asReadOnlyByteBuffer().getInt() % 3 != 0));
    }

    @Test
    void shouldTryUntilThePoolServiceHasALeader() throws Exception {
        start();
        system.refuse(3, FaultCode.NO_SERVICE);
        SocketChannel process = connect();
        ask(process, opened(handle(1)));

        process.close();

        await("evicted", () -> system.evicted().equals(List.of(handle(1))));
    }

    @Test
    void shouldGiveUpWhatNobodyBetters() throws Exception {
        Agent agent = start();
        system.refuse(1, FaultCode.NO_PERM);
        SocketChannel process = connect();
        ask(process, opened(handle(1)));
        SocketChannel other = connect();
        process.close();

        ask(other, opened(handle(2)));
        other.close();

        await("evicted", () -> system.evicted().equals(List.of(handle(2))));
        agent.close();
        assertEquals(List.of(handle(2)), system.evicted());
    }

    @Test
    void shouldEvictAllAtItsStop() throws Exception {
        Agent agent = start();
        ask(connect(), opened(handle(1)));
        ask(connect(), opened(handle(2)));

        agent.close();

        assertEquals(Set.of(handle(1), handle(2)), Set.copyOf(system.evicted()));
        assertFalse(Files.exists(socket()));
    }

    @Test
    void shouldLeaveHandlesOpenAtItsStopWhenToldSo() throws Exception {
        Agent agent = start(with(settings(), settings().caching(), false, Duration.ofHours(1)));
        ask(connect(), opened(handle(1)));
        SocketChannel died = connect();
        ask(died, opened(handle(2)));
        died.close();
        await("evicted", () -> system.evicted().equals(List.of(handle(2))));

        agent.close();

        assertEquals(List.of(handle(2)), system.evicted());
    }

    @Test
    void shouldLearnHandlesAgainAfterARestart() throws Exception {
        Agent first = start(with(settings(), settings().caching(), false, Duration.ofHours(1)));
        LocalAgent local = local();
        local.onConnected(POOL, handle(1).toByteArray());
        first.close();
        local.onConnected(POOL, handle(2).toByteArray());
        byte[] before = local.credential();

        start();

        await("a new credential", () -> !java.util.Arrays.equals(before, local.credential()));
        local.close();
        await("evicted", () -> Set.copyOf(system.evicted()).equals(Set.of(handle(1), handle(2))));
    }

    @Test
    void shouldRenewACredentialBeforeItEnds() {
        start(with(settings(), settings().caching(), true, Duration.ofSeconds(3)));
        LocalAgent local = local();
        byte[] first = local.credential();

        await("renewed", () -> !java.util.Arrays.equals(first, local.credential()));
    }

    @Test
    void shouldSayWhenNobodyIsThere() {
        FaultException absent =
                assertThrows(FaultException.class, () -> LocalAgent.connect(folder.resolve("no.sock"), LONG));

        assertEquals(FaultCode.AGENT_COMM, absent.fault().code());
    }

    @Test
    void shouldSayThatTheSystemDoesNotAnswer() {
        system.down(true);
        start();

        FaultException told = assertThrows(FaultException.class, () -> LocalAgent.connect(socket(), LONG));

        assertEquals(FaultCode.UNREACH, told.fault().code());
    }

    /** The first TLS connection of a process takes seconds on a busy machine: longer than one server is waited for. */
    @Test
    void shouldAskAgainWhenNobodyHasAnsweredInTime() {
        start();
        system.beSilent(6);

        assertEquals("daos_server", local().system().name());
    }

    @Test
    void shouldKnowWhereTheSystemWasWhileItIsDown() {
        Agent agent = start();
        local();
        system.down(true);
        agent.refresh();

        assertEquals(3, local().system().addresses().size());
    }

    @Test
    void shouldAskTheSystemAsOftenAsConfigured() {
        Agent agent = start();
        local();
        local();
        assertEquals(1, system.questions());
        agent.refresh();
        await("asked again", () -> system.questions() == 2);
        local();
        assertEquals(2, system.questions());
        agent.close();

        start(with(settings(), new Agent.Caching(true, Duration.ZERO, Duration.ZERO), true, Duration.ofHours(1)));
        local();
        local();

        assertEquals(4, system.questions());
    }

    @Test
    void shouldHandOutACredentialAgainWhenConfigured() throws Exception {
        Agent.Caching caching = new Agent.Caching(false, Duration.ZERO, Duration.ofMinutes(10));
        Agent agent = start(with(settings(), caching, true, Duration.ofHours(1)));
        ByteString first = ask(connect(), CREDENTIAL).getCredential().getCredential();
        long bornMs = System.currentTimeMillis();
        await("another moment", () -> System.currentTimeMillis() > bornMs);

        assertEquals(first, ask(connect(), CREDENTIAL).getCredential().getCredential());
        agent.refresh();
        assertFalse(first.equals(ask(connect(), CREDENTIAL).getCredential().getCredential()));
    }

    @Test
    void shouldReplaceTheSocketOfADeadAgentOnly() throws Exception {
        Files.createDirectory(folder.resolve("run"));
        Files.createFile(socket());
        Agent living = start();
        local();

        FaultException second = assertThrows(FaultException.class, this::start);

        assertEquals(FaultCode.BUSY, second.fault().code());
        local();
        living.close();
        start();
        local();
        assertEquals("rwxr-xr-x", PosixFilePermissions.toString(Files.getPosixFilePermissions(folder.resolve("run"))));
        assertEquals("rw-rw-rw-", PosixFilePermissions.toString(Files.getPosixFilePermissions(socket())));
    }

    @Test
    void shouldRefuseAFolderThatOthersMayWrite() throws Exception {
        Files.createDirectory(folder.resolve("run"));
        Files.setPosixFilePermissions(folder.resolve("run"), PosixFilePermissions.fromString("rwxrwxrwx"));

        FaultException refused = assertThrows(FaultException.class, this::start);

        assertEquals(FaultCode.NO_PERM, refused.fault().code());
    }

    @Test
    void shouldRefuseAnotherSystem() throws Exception {
        start();

        AgentReply reply =
                ask(connect(), CREDENTIAL.toBuilder().setSystem("other").build());

        assertEquals(FaultCode.MISMATCH.number(), reply.getFault().getCode());
        assertTrue(reply.getCredential().getCredential().isEmpty());
    }

    /** The agent speaks for its machine: both come from the same package. */
    @Test
    void shouldRefuseAClientOfAnotherRelease() throws Exception {
        start();

        AgentReply reply =
                ask(connect(), CREDENTIAL.toBuilder().setRelease("9.9.9").build());

        assertEquals(FaultCode.MISMATCH.number(), reply.getFault().getCode());
        assertEquals("616", reply.getFault().getArgumentsOrThrow("fault"));
        assertTrue(
                reply.getFault().getText().contains("client:9.9.9"),
                reply.getFault().getText());
    }
}
