package io.daosmesh.management.raft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.management.loop.NodeContext;
import io.daosmesh.management.node.TestMesh;
import io.daosmesh.management.pool.PoolDb;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** One group on three Ratis servers, whose election timeouts are longer than the tests. */
@Timeout(120)
@Tag("slow")
class RatisElectionTest {
    private static final UUID GROUP = new UUID(7, 7);

    @TempDir
    Path dir;

    private TestMesh mesh;
    private final List<RatisNode> servers = new ArrayList<>();
    /** Index of the leader and those of the others, in the order of their addresses. */
    private int leader;

    private int first;
    private int second;

    @BeforeEach
    void start() {
        mesh = new TestMesh(dir, 3, 3, TestMesh.PATIENT);
        for (TestMesh.Node n : mesh.nodes) {
            NodeContext context = n.context(mesh.net.server(n.address));
            servers.add(new RatisNode(
                    dir.resolve("raft" + servers.size()),
                    context,
                    g -> new Replica<>(new PoolDb(), () -> {}),
                    n.servers()));
        }
        List<Voter> voters = mesh.addresses().stream().map(Voter::fresh).toList();
        for (int i = 0; i < servers.size(); i++)
            servers.get(i).add(GROUP, voters.get(i).identity(), voters);
        TestMesh.await("a leader that all know", () -> {
            Set<Optional<String>> known = new TreeSet<>(java.util.Comparator.comparing(Optional::toString));
            servers.forEach(s -> known.add(s.group(GROUP).leader()));
            return known.size() == 1
                    && servers.stream().anyMatch(s -> s.group(GROUP).isLeader());
        });
        while (!servers.get(leader).group(GROUP).isLeader()) leader++;
        first = leader == 0 ? 1 : 0;
        second = leader == 2 ? 1 : 2;
    }

    @AfterEach
    void stop() {
        TestMesh.together(servers.stream().map(s -> (Runnable) s::close).toList());
        mesh.close();
    }

    private String address(int i) {
        return mesh.nodes.get(i).address;
    }

    private List<UUID> elect(int by, int dead, Integer... living) {
        Set<String> addresses = new TreeSet<>();
        for (int i : living) addresses.add(address(i));
        return servers.get(by)
                .electInsteadOf(address(dead), addresses)
                .collectList()
                .block(TestMesh.LONG);
    }

    /** Refused, without effect, while the voter's log does not hold the leader's first entry. */
    private void awaitAsking(int by, int dead, Integer... living) {
        TestMesh.await("asks to lead", () -> elect(by, dead, living).equals(List.of(GROUP)));
    }

    @Test
    void shouldAskToLeadOnlyAsTheFirstLivingVoter() {
        long term = servers.get(leader).group(GROUP).term();
        mesh.net.cut(address(leader));

        assertEquals(List.of(), elect(second, leader, first, second));
        awaitAsking(first, leader, first, second);

        TestMesh.await("leads", () -> servers.get(first).group(GROUP).isLeader());
        assertEquals(term + 1, servers.get(first).group(GROUP).term());
        servers.get(first).group(GROUP).barrier(TestMesh.LONG).block(TestMesh.LONG);
    }

    @Test
    void shouldLeaveOutVotersThatAreKnownDead() {
        mesh.net.cut(address(leader));

        awaitAsking(second, leader, second);

        TestMesh.await("leads", () -> servers.get(second).group(GROUP).isLeader());
    }

    @Test
    void shouldNotAskWhenTheDeadNodeDoesNotLead() {
        long term = servers.get(leader).group(GROUP).term();

        assertEquals(List.of(), elect(first, second, leader, first));
        assertEquals(List.of(), elect(leader, leader, leader, first, second));

        assertEquals(term, servers.get(first).group(GROUP).term());
        assertTrue(servers.get(leader).group(GROUP).isLeader());
    }

    @Test
    void shouldReplaceALeaderThatIsWronglyTakenForDead() {
        awaitAsking(first, leader, first, second);

        TestMesh.await("leads", () -> servers.get(first).group(GROUP).isLeader());
        TestMesh.await(
                "the former one follows",
                () -> servers.get(leader).group(GROUP).leader().equals(Optional.of(address(first))));
        FaultException e = assertThrows(
                FaultException.class,
                () -> servers.get(leader).group(GROUP).barrier(TestMesh.LONG).block(TestMesh.LONG));
        assertEquals(FaultCode.NOTLEADER, e.code());
        assertEquals(Optional.of(address(first)), e.fault().argument("leader"));
    }

    @Test
    void shouldNotReadWithoutAMajority() {
        mesh.net.cut(address(first));
        mesh.net.cut(address(second));

        FaultException e = assertThrows(
                FaultException.class,
                () -> servers.get(leader)
                        .group(GROUP)
                        .barrier(Duration.ofMillis(300))
                        .block(TestMesh.LONG));

        assertEquals(FaultCode.TIMEDOUT, e.code());
    }
}
