// Applies cdk-nag's rule packs to a template and prints, for each pack and rule, what became of it on each resource.
// node nag.js <folder with node_modules> <template> <raw|metadata>; `metadata` acknowledges what cdk_nag Metadata says.
const { createRequire } = require("module");
const path = require("path");

const [folder, file, mode] = process.argv.slice(2);
const load = createRequire(path.join(folder, "package.json"));
const { App, CfnResource, Stack, Validations } = load("aws-cdk-lib");
const { CfnInclude } = load("aws-cdk-lib/cloudformation-include");
const nag = load("cdk-nag");

const packs = {
  AwsSolutions: nag.AwsSolutionsChecks,
  "NIST.800.53.R5": nag.NIST80053R5Checks,
  "HIPAA.Security": nag.HIPAASecurityChecks,
  "PCI.DSS.321": nag.PCIDSS321Checks,
  Serverless: nag.ServerlessChecks,
};

const app = new App({ analyticsReporting: false, autoSynth: false });
const stack = new Stack(app, "Stack");
const included = new CfnInclude(stack, "Template", { templateFile: file, preserveLogicalIds: true });
const resources = included.node.findAll().filter((node) => CfnResource.isCfnResource(node));

if (mode === "metadata") {
  for (const node of resources) {
    const stated = node.getMetadata("cdk_nag");
    for (const { id, reason, applies_to } of stated ? stated.rules_to_suppress : []) {
      for (const rule of applies_to ? applies_to.map((finding) => `${id}[${finding}]`) : [id]) {
        Validations.of(node).acknowledge({ id: rule, reason });
      }
    }
  }
}

const report = {};
for (const [name, Pack] of Object.entries(packs)) {
  const pack = new Pack(app);
  const rules = {};
  const apply = pack.applyRule.bind(pack);
  pack.applyRule = (params) => {
    const id = `${pack.readPackName}-${params.ruleSuffixOverride || params.rule.name}`;
    const judged = (node) => {
      const result = params.rule(node);
      if (result !== nag.NagRuleCompliance.NOT_APPLICABLE) rules[id] = true;
      return result;
    };
    rules[id] = rules[id] || false;
    apply({ ...params, ruleSuffixOverride: params.ruleSuffixOverride || params.rule.name, rule: judged });
  };
  const { violations } = pack.validateScope(stack);
  report[name] = {
    rules,
    findings: violations.flatMap((violation) =>
      violation.violatingResources.map((one) => ({
        rule: violation.ruleName,
        severity: violation.severity,
        resource: one.constructPath.split("/").pop(),
      })),
    ),
  };
}
process.stdout.write(JSON.stringify(report));
