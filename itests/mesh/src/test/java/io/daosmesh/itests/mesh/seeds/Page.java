package io.daosmesh.itests.mesh.seeds;

import java.util.ArrayList;
import java.util.List;

/**
 * The commands of a page with what they print. They stand in blocks that begin with {@value #FENCE}: a line {@code $ COMMAND},
 * then its output as a {@link Pattern}; lines that begin with {@code ! } are standard error, {@code [exit N]} the status where
 * it is not 0. The commands of a block that begins with {@value #WAITING} are repeated until their output is this. Immutable.
 */
record Page(List<Step> steps) {
    private static final String FENCE = "```mesh";
    private static final String WAITING = FENCE + " wait";
    private static final String PROMPT = "$ ";

    /** @param line of the page, from 1 */
    record Step(int line, String command, Pattern out, Pattern err, int status, boolean isRepeated) {}

    static Page of(List<String> lines) {
        List<Step> steps = new ArrayList<>();
        String fence = "";
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i);
            if (line.startsWith("```")) {
                fence = fence.isEmpty() ? line.strip() : "";
            } else if (line.startsWith(PROMPT)) {
                if (!fence.equals(FENCE) && !fence.equals(WAITING))
                    throw new IllegalArgumentException("line " + (i + 1) + " is not run: " + line);
                steps.add(step(lines, i, fence.equals(WAITING)));
            }
        }
        if (!fence.isEmpty()) throw new IllegalArgumentException("the last block has no end");
        return new Page(List.copyOf(steps));
    }

    private static Step step(List<String> lines, int at, boolean isRepeated) {
        List<String> out = new ArrayList<>();
        List<String> err = new ArrayList<>();
        int status = 0;
        for (String line : lines.subList(at + 1, lines.size())) {
            if (line.startsWith("```") || line.startsWith(PROMPT)) break;
            if (line.startsWith("! ")) err.add(line.substring(2));
            else if (line.matches("\\[exit [0-9]+]")) status = Integer.parseInt(line.replaceAll("[^0-9]", ""));
            else out.add(line);
        }
        while (!out.isEmpty() && out.get(out.size() - 1).isBlank()) out.remove(out.size() - 1);
        String command = lines.get(at).substring(PROMPT.length());
        return new Step(at + 1, command, new Pattern(out), new Pattern(err), status, isRepeated);
    }
}
