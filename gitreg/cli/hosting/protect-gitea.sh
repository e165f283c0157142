# What Gitea, or Forgejo, should be told of this registry. Read it, then run it with an administrator's token in GITEA_TOKEN.

# 1. The branch @BRANCH@ changes by pull request only, approved by somebody, checked by `gitreg check` on today's branch (two
#    pull requests that are fine each by itself may give one number twice).
curl --fail --silent --show-error --request POST "https://@HOST@/api/v1/repos/@PATH@/branch_protections" \
  --header "Authorization: token $GITEA_TOKEN" --header "Content-Type: application/json" --data @- <<'RULES'
{
  "rule_name": "@BRANCH@",
  "enable_push": false,
  "required_approvals": 1,
  "dismiss_stale_approvals": true,
  "block_on_rejected_reviews": true,
  "block_on_outdated_branch": true,
  "enable_status_check": true,
  "status_check_contexts": ["*check*"]
}
RULES

# 2. A version's tag neither moves nor goes, and is made by whom you name: the user whose token `gitreg sync` runs with.
curl --fail --silent --show-error --request POST "https://@HOST@/api/v1/repos/@PATH@/tag_protections" \
  --header "Authorization: token $GITEA_TOKEN" --header "Content-Type: application/json" --data @- <<'RULES'
{
  "name_pattern": "@PREFIX@/**",
  "whitelist_usernames": ["gitreg-sync"]
}
RULES

# 3. Who is asked. Lines for CODEOWNERS on the branch @BRANCH@; name your own teams:
cat <<'LINES'
@CODEOWNERS@
LINES
