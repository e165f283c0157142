# What GitLab should be told of this registry. Read it, then run it where `glab` is logged in as a maintainer.

# 1. The branch @BRANCH@ changes by merge request only (nobody pushes: 0; maintainers merge: 40), and never loses a commit.
#    GitLab protects a project's first branch by itself, in a laxer way: that rule goes first.
glab api --hostname "@HOST@" --method DELETE "projects/@ID@/protected_branches/@BRANCH_ID@" || true
glab api --hostname "@HOST@" --method POST "projects/@ID@/protected_branches" \
  --raw-field name="@BRANCH@" --field push_access_level=0 --field merge_access_level=40 --field allow_force_push=false

# 2. A merge request is merged when `gitreg check` has passed, on today's branch (fast-forward: two merge requests that are
#    fine each by itself may give one number twice).
glab api --hostname "@HOST@" --method PUT "projects/@ID@" \
  --field only_allow_merge_if_pipeline_succeeds=true --raw-field merge_method=rebase_merge

# 3. A version's tag is made once, by who may (`*` goes on behind a slash): `gitreg sync` runs with a maintainer's token.
glab api --hostname "@HOST@" --method POST "projects/@ID@/protected_tags" \
  --raw-field name="@PREFIX@/*" --field create_access_level=40

# 4. Who is asked. Lines for CODEOWNERS on the branch @BRANCH@ (where the plan has it; then tick "Code owner approval"):
cat <<'LINES'
@CODEOWNERS@
LINES
