package io.daosmesh.management.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.pool.MemberState;
import io.daosmesh.model.port.Membership;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.Role;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.RankDeadReport;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Who can have a rank excluded by saying that it is dead. The first node leads, the last one is accused. */
@Timeout(120)
class FalseDeathsTest {
    @TempDir
    Path dir;

    private TestMesh mesh;

    private void start(int count) {
        mesh = new TestMesh(dir, count, 1);
        mesh.startAll();
    }

    @AfterEach
    void stop() {
        mesh.close();
    }

    private TestMesh.Node node(int i) {
        return mesh.nodes.get(i);
    }

    private TestMesh.Node accused() {
        return node(mesh.nodes.size() - 1);
    }

    private Member seen(int rank) {
        return node(0).management
                .system()
                .replica()
                .read(db -> db.groupMap().member(rank).orElseThrow());
    }

    private Member seen(TestMesh.Node n) {
        return seen(n.rank());
    }

    /** As a server would that answers to nobody's gossip. */
    private void report(TestMesh.Node from, Member dead) {
        RankDeadReport r = RankDeadReport.newBuilder()
                .setRank(dead.rank())
                .setIncarnation(dead.incarnation())
                .setReporter(from.rank())
                .setReason("silent")
                .build();
        mesh.net
                .rpc(from.address, Role.SERVER)
                .call(Endpoint.node(node(0).address), RpcMethod.RANK_DEAD, RpcMessage.of(r), TestMesh.LONG, x -> true)
                .block(TestMesh.LONG);
    }

    private void assertAlone(TestMesh.Node from, Member dead) {
        FaultException e = assertThrows(FaultException.class, () -> report(from, dead));
        assertEquals(FaultCode.AGAIN, e.code(), e.getMessage());
    }

    @Test
    void shouldNotExcludeALivingRankOnTheWordOfOneServer() {
        start(4);

        for (int i = 0; i < 50; i++) {
            for (TestMesh.Node n : List.of(accused(), node(2), node(0))) assertAlone(node(1), seen(n));
        }

        for (TestMesh.Node n : mesh.nodes) assertEquals(MemberState.JOINED, seen(n).state());
    }

    @Test
    void shouldExcludeOnTheWordOfTwo() {
        start(4);
        Member before = seen(accused());
        assertAlone(node(1), before);

        report(node(2), before);

        assertTrue(wasExcluded(before));
        report(node(1), before);
    }

    @Test
    void shouldExcludeOnTheWordOfOneWhenTheLeaderHearsNothingEither() {
        start(4);
        mesh.net.freeze(accused().address);
        report(node(1), seen(accused()));
        assertEquals(MemberState.EXCLUDED, seen(accused()).state(), "halted");
        mesh.net.thaw(accused().address);

        node(2).kill();
        report(node(0), seen(node(2)));

        assertEquals(MemberState.EXCLUDED, seen(node(2)).state(), "killed");
    }

    @Test
    void shouldExcludeOnTheWordOfOneWhereThereAreNoTwoOthers() {
        start(2);
        Member before = seen(accused());

        report(node(0), before);

        assertTrue(wasExcluded(before));
    }

    @Test
    void shouldNotPassOnADeathThatIsRefutedAtOnce() {
        start(4);
        Member before = seen(accused());
        Member dead = seen(node(2));
        long life = before.incarnation();
        for (TestMesh.Node n : mesh.nodes.subList(0, 2)) tell(n, before, life + 1);
        for (TestMesh.Node n : mesh.nodes.subList(0, 2)) n.management.deaths().onAlive(before.rank(), life + 2);

        node(2).kill();
        tell(node(0), dead, dead.incarnation());

        TestMesh.await("what is not refuted counts", () -> wasExcluded(dead));
        assertEquals(before, seen(accused()));
    }

    @Test
    void shouldPassOnADeathThatTwoWereToldAndNobodyRefutes() {
        start(4);
        Member before = seen(accused());

        for (TestMesh.Node n : mesh.nodes.subList(0, 2)) tell(n, before, before.incarnation());

        TestMesh.await("it counts", () -> wasExcluded(before));
    }

    private static void tell(TestMesh.Node n, Member dead, long incarnation) {
        n.management.deaths().onDead(dead.rank(), incarnation, Membership.TOLD_BY_OTHERS);
    }

    /** Who lives joins again at once. */
    private boolean wasExcluded(Member before) {
        Member now = seen(before.rank());
        return now.state() == MemberState.EXCLUDED || now.incarnation() > before.incarnation();
    }
}
