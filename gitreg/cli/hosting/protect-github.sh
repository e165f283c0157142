# What GitHub should be told of this registry. Read it, then run it where `gh` is logged in as an administrator.

# 1. The branch @BRANCH@ changes by pull request only, and never loses a commit.
#    - pull_request: somebody else approves, and who CODEOWNERS names; new commits ask again.
#    - required_status_checks: `gitreg check` has passed on what the merge makes of today's branch (strict): two pull
#      requests that are fine each by itself may give one number twice.
#    - deletion, non_fast_forward: history is the audit trail.
gh api --method POST "repos/@PATH@/rulesets" --input - <<'RULES'
{
  "name": "gitreg: the branch",
  "target": "branch",
  "enforcement": "active",
  "conditions": {"ref_name": {"include": ["refs/heads/@BRANCH@"], "exclude": []}},
  "rules": [
    {"type": "deletion"},
    {"type": "non_fast_forward"},
    {
      "type": "pull_request",
      "parameters": {
        "required_approving_review_count": 1,
        "dismiss_stale_reviews_on_push": true,
        "require_code_owner_review": true,
        "require_last_push_approval": true,
        "required_review_thread_resolution": false
      }
    },
    {
      "type": "required_status_checks",
      "parameters": {
        "strict_required_status_checks_policy": true,
        "required_status_checks": [{"context": "check"}]
      }
    }
  ]
}
RULES

# 2. A version's tag is made once: it neither moves nor goes. (`**`, for `*` ends at a slash.) Making tags stays allowed,
#    for `gitreg sync` makes them.
gh api --method POST "repos/@PATH@/rulesets" --input - <<'RULES'
{
  "name": "gitreg: the tags of versions",
  "target": "tag",
  "enforcement": "active",
  "conditions": {"ref_name": {"include": ["refs/tags/@PREFIX@/**"], "exclude": []}},
  "rules": [
    {"type": "deletion"},
    {"type": "update", "parameters": {"update_allows_fetch_and_merge": false}}
  ]
}
RULES

# 3. Who is asked. Lines for .github/CODEOWNERS on the branch @BRANCH@; name your own teams:
cat <<'LINES'
@CODEOWNERS@
LINES
