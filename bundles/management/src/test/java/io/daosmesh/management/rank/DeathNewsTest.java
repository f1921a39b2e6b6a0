package io.daosmesh.management.rank;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.pool.MemberState;
import io.daosmesh.model.port.Membership;
import io.daosmesh.model.wire.RankDeadReport;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Rank 0 lives on this node, ranks 1 and 2 elsewhere, all in life 5. */
class DeathNewsTest implements DeathNews.Effects {
    private static final long MS = 1_000_000;

    private final DeathNews news = new DeathNews("a:1");
    private final List<String> done = new ArrayList<>();
    private RankDeadReport sent = RankDeadReport.getDefaultInstance();

    @Override
    public void report(RankDeadReport report) {
        sent = report;
        done.add("report r" + report.getRank() + "@" + report.getIncarnation() + " by r" + report.getReporter());
    }

    @Override
    public void drop(int rank) {
        done.add("drop r" + rank);
    }

    private static GroupMap map(long lifeOfOne) {
        return new GroupMap("sys", 1, List.of(member(0, "a:1", 5), member(1, "b:1", lifeOfOne), member(2, "c:1", 5)));
    }

    private static Member member(int rank, String address, long life) {
        return new Member(rank, new UUID(0, rank), address, "/" + rank, MemberState.JOINED, life, 1, 0, "", 0);
    }

    private void assertDone(String... expected) {
        assertEquals(List.of(expected), done);
        done.clear();
    }

    @BeforeEach
    void begin() {
        news.onGroupMap(map(5), this);
    }

    @Test
    void shouldReportUntilItIsHeard() {
        news.onDead(0, 1, 5, "no answer", this);
        news.onDead(0, 1, 5, "no answer", this);
        assertDone("report r1@5 by r0");
        news.onTick(MS, this);
        assertDone();

        news.onUnheard(MS, sent, false);
        news.onTick(2 * MS, this);
        assertDone("report r1@5 by r0");
        news.onHeard(sent);
        news.onTick(9000 * MS, this);

        assertDone();
    }

    @Test
    void shouldGiveTheAccusedTimeAndThePolicyAPause() {
        news.onDead(0, 1, 5, Membership.TOLD_BY_OTHERS, this);
        news.onTick(999 * MS, this);
        assertDone();
        news.onTick(1000 * MS, this);
        assertDone("report r1@5 by r0");

        news.onUnheard(1000 * MS, sent, true);
        news.onTick(3999 * MS, this);
        assertDone();
        news.onTick(4000 * MS, this);

        assertDone("report r1@5 by r0");
    }

    @Test
    void shouldDropWhatIsOver() {
        news.onDead(0, 1, 5, "no answer", this);
        news.onAlive(1, 5, this);
        assertDone("report r1@5 by r0");

        news.onAlive(1, 6, this);
        assertDone("drop r1");

        news.onDead(0, 1, 6, "no answer", this);
        news.onGroupMap(map(7), this);
        assertDone("report r1@6 by r0", "drop r1");
    }

    @Test
    void shouldSendAgainAtOnceWhenThisNodeLeads() {
        news.onDead(0, 1, 5, "no answer", this);
        done.clear();

        news.onLeading(MS, this);

        assertDone("drop r1", "report r1@5 by r0");
    }

    @Test
    void shouldBeSilentWithoutARankOfItsOwn() {
        DeathNews stranger = new DeathNews("z:1");
        stranger.onGroupMap(map(5), this);

        stranger.onDead(0, 1, 5, "no answer", this);

        assertDone();
    }
}
