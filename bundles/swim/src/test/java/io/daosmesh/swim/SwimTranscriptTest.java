package io.daosmesh.swim;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Protocol transcripts: {@code src/test/resources/transcripts/*.txt}, one {@code command | effect; effect} a line.
 * {@code -Dtranscripts.record=true} writes the effects anew; the difference is what to review.
 *
 * <p>Commands: {@code self rN}, {@code member rN @INC}, {@code known rN @INC} (listed and heard), {@code tick T ms}
 * (runs the loop up to that time), {@code wake T ms} (the loop slept until then), {@code receive KIND rN @INC seq=N
 * about rN [refused] [rN:STATE@INC/accusers ...]}, {@code closed rN}, {@code refused rN}, {@code announce N ms},
 * {@code gone rN}, {@code answering rN @INC} (acks pings and nacks ping-reqs from now on), {@code silent rN}.
 */
class SwimTranscriptTest {
    private static final Path FOLDER = Path.of("src/test/resources/transcripts");

    @TestFactory
    Stream<DynamicTest> shouldFollowTranscript() throws IOException {
        try (Stream<Path> files = Files.list(FOLDER)) {
            return files.filter(f -> f.toString().endsWith(".txt")).sorted().toList().stream()
                    .map(f -> DynamicTest.dynamicTest(f.getFileName().toString(), () -> replay(f)));
        }
    }

    private static void replay(Path file) throws IOException {
        List<String> expected = Files.readAllLines(file);
        List<String> actual = new Run().replay(expected);
        if (Boolean.getBoolean("transcripts.record")) {
            Files.write(file, actual);
        }
        assertEquals(String.join("\n", expected), String.join("\n", actual));
    }

    private static final class Run {
        private final RecordingEffects effects = new RecordingEffects();
        private Swim swim = new Swim(SwimConfig.defaults(), 0, 1, 7);
        private long nowNs;

        List<String> replay(List<String> lines) {
            List<String> out = new ArrayList<>();
            for (String line : lines) {
                if (line.isBlank() || line.startsWith("#")) {
                    out.add(line);
                    continue;
                }
                String command = line.contains("|")
                        ? line.substring(0, line.indexOf('|')).strip()
                        : line.strip();
                run(command.split("\\s+"));
                String happened = String.join("; ", effects.take());
                out.add(String.format("%-40s | %s", command, happened.isEmpty() ? "-" : happened));
            }
            return out;
        }

        private void run(String[] words) {
            switch (words[0]) {
                case "self" -> swim = new Swim(SwimConfig.defaults(), rank(words[1]), 1, 7);
                case "member" -> swim.onMember(nowNs, rank(words[1]), incarnation(words[2]), effects);
                case "known" -> {
                    int rank = rank(words[1]);
                    long incarnation = incarnation(words[2]);
                    swim.onMember(nowNs, rank, incarnation, effects);
                    swim.onAck(nowNs, new SwimMessage(rank, incarnation, 0, rank, false, List.of()), effects);
                    effects.take();
                }
                case "answering" -> effects.letAnswer(rank(words[1]), incarnation(words[2]));
                case "silent" -> effects.letFallSilent(rank(words[1]));
                case "gone" -> swim.onMemberGone(rank(words[1]));
                case "tick" -> tickUntil(SwimConfig.ms(Long.parseLong(words[1])));
                case "wake" -> {
                    nowNs = SwimConfig.ms(Long.parseLong(words[1]));
                    swim.onTick(nowNs, effects);
                }
                case "closed" -> swim.onPeerClosed(nowNs, rank(words[1]), effects);
                case "refused" -> swim.onPeerRefused(nowNs, rank(words[1]), effects);
                case "announce" -> swim.announceRestart(nowNs, SwimConfig.ms(Long.parseLong(words[1])), effects);
                case "receive" -> receive(words);
                default -> throw new IllegalArgumentException("unknown command " + words[0]);
            }
        }

        private void tickUntil(long untilNs) {
            while (nowNs < untilNs) {
                nowNs = Math.min(untilNs, nowNs + SwimConfig.defaults().probe().tickNs());
                swim.onTick(nowNs, effects);
                effects.deliver(new RecordingEffects.Answers() {
                    @Override
                    public void ack(SwimMessage message) {
                        swim.onAck(nowNs, message, effects);
                    }

                    @Override
                    public void nack(SwimMessage message) {
                        swim.onNack(nowNs, message, effects);
                    }
                });
            }
        }

        private void receive(String[] words) {
            int next = 7;
            boolean isRefused = words.length > next && words[next].equals("refused");
            List<SwimUpdate> updates = Arrays.stream(words)
                    .skip(isRefused ? next + 1 : next)
                    .map(Run::update)
                    .toList();
            long sequence = Long.parseLong(words[4].substring("seq=".length()));
            SwimMessage message = new SwimMessage(
                    rank(words[2]), incarnation(words[3]), sequence, rank(words[6]), isRefused, updates);
            switch (words[1]) {
                case "ping" -> swim.onPing(nowNs, message, effects);
                case "ping-req" -> swim.onPingReq(nowNs, message, effects);
                case "ack" -> swim.onAck(nowNs, message, effects);
                case "nack" -> swim.onNack(nowNs, message, effects);
                default -> throw new IllegalArgumentException("unknown message " + words[1]);
            }
        }

        /** {@code r3:SUSPECT@1/2,4} or {@code r3:RESTARTING@5/4000ms}. */
        private static SwimUpdate update(String word) {
            String[] parts = word.replace("[", "").replace("]", "").split("[:@/]");
            boolean isRestart = parts.length > 3 && parts[3].endsWith("ms");
            List<Integer> accusers = parts.length > 3 && !isRestart
                    ? Arrays.stream(parts[3].split(",")).map(Integer::valueOf).toList()
                    : List.of();
            long forNs = isRestart ? SwimConfig.ms(Long.parseLong(parts[3].replace("ms", ""))) : 0;
            return new SwimUpdate(
                    rank(parts[0]), MemberState.valueOf(parts[1]), Long.parseLong(parts[2]), accusers, forNs);
        }

        private static int rank(String word) {
            return Integer.parseInt(word.substring(1));
        }

        private static long incarnation(String word) {
            return Long.parseLong(word.substring(1));
        }
    }
}
